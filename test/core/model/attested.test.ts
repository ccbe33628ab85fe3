// Which version a deployment takes of an image that was released with one.
import { suite } from "uvu";
import * as assert from "uvu/assert";

import { attestedModel } from "../../../src/core/attestations/about.js";
import { PREDICATE_TYPES } from "../../../src/core/attestations/names.js";
import { modelOf, type Model } from "../../../src/core/attestations/predicates.js";
import type { Statement } from "../../../src/core/attestations/statement.js";
import { attestedConfig, drift, pinnedConfig } from "../../../src/core/model/attested.js";
import { modelLine } from "../../../src/core/model/describe.js";
import { configuredModel } from "../../../src/core/model/pin.js";
import { raises } from "../raises.js";
import { facts, MISSING, model, NAME } from "./facts.js";

const test = suite("the model that an image was released with");

const HEX = "0a".repeat(32);
const DIGEST = `sha256:${HEX}`;
const ATTESTED: Model = {
  ...{ name: NAME, stage: "production", version: "7", run: "run-7" },
  digest: { sha256: HEX },
};

const statement = (predicate: unknown, hex = HEX): Statement => ({
  ...{ _type: "https://in-toto.io/Statement/v1", predicateType: PREDICATE_TYPES.model },
  ...{ subject: [{ digest: { sha256: hex } }], predicate },
});

test("is_the_one_version_that_is_attested_of_this_image", () => {
  const found = (...model: Statement[]): Model | undefined => attestedModel(DIGEST, { model });
  assert.equal(found(statement(ATTESTED)), ATTESTED);
  assert.equal(found(statement(ATTESTED), statement({ ...ATTESTED })), ATTESTED);
  assert.is(found(statement(ATTESTED, "0b".repeat(32))), undefined, "it is of another image");
  assert.is(found({ ...statement(ATTESTED), predicateType: PREDICATE_TYPES.sbom }), undefined);
  assert.is(found(statement({ ...ATTESTED, framework: "x" })), undefined, "it cannot be read");
  assert.is(found(), undefined);
});

test("is_none_where_only_the_name_is_attested", () => {
  const open = statement({ name: NAME, stage: "production" });
  assert.is(attestedModel(DIGEST, { model: [open] }), undefined);
  assert.equal(attestedModel(DIGEST, { model: [open, statement(ATTESTED)] }), ATTESTED);
});

test("rejects_an_image_with_two_of_them", () => {
  const both = [statement(ATTESTED), statement({ ...ATTESTED, version: "8" })];
  const said = raises("MODEL", () => attestedModel(DIGEST, { model: both }));
  assert.match(said, /more than one model: .* 7 .*; .* 8 .*Release it again/);
});

test("is_pinned_whatever_the_configuration_leaves_open", () => {
  const { version, run, digest } = attestedConfig(model({ alias: "challenger" }), ATTESTED);
  assert.equal([version, run, digest], ["7", "run-7", DIGEST]);
  const short = { name: NAME, stage: "production", version: "7" };
  const bare = attestedConfig(model({ run: "run-7", digest: DIGEST }), short);
  assert.equal([bare.version, bare.run, bare.digest], ["7", "run-7", DIGEST]);
});

test("rejects_a_configuration_that_names_another_one", () => {
  for (const [settings, expected] of [
    [{ name: "rose" }, /model\.name: the image was released with iris-random-forest, .* rose/],
    [{ version: "8" }, /model\.version: the image was released with 7, model\.version is 8/],
    [{ run: "run-8" }, /model\.run: .* run-7, .* run-8/],
    [{ digest: `sha256:${"0b".repeat(32)}` }, /model\.digest: the image was released with sha256:/],
  ] as const)
    assert.match(
      raises("MODEL", () => attestedConfig(model(settings), ATTESTED)),
      expected,
    );
  const two = raises("MODEL", () => attestedConfig(model({ name: "rose", run: "x" }), ATTESTED));
  assert.match(two, /model\.name[^]*model\.run/);
});

test("warns_when_the_alias_or_stage_points_elsewhere_by_now_and_when_it_is_gone", () => {
  const told = facts({ "7": {}, "8": { stage: "Production" } }, { champion: "8", same: "7" });
  const warned = (settings: object): string => drift(model(settings), told, ATTESTED).join();
  assert.match(warned({ alias: "champion" }), /champion is version 8 by now; .*version 7, which/);
  assert.match(warned({}), /production is version 8 by now/);
  assert.is(warned({ alias: "same" }), "");
  assert.is(warned({ version: "7" }), "");
  assert.match(warned({ alias: "gone" }), /no alias gone: .*The image was released with version 7/);
  const away = { ...told, registered: MISSING };
  assert.match(drift(model({}), away, ATTESTED).join(), /cannot be looked up.* version 7/);
});

test("is_what_a_release_found_and_says_so_wherever_it_is_told", () => {
  const config = model({ alias: "challenger" });
  const whole = pinnedConfig(config, { version: "7", runId: "run-7", digest: DIGEST });
  assert.equal(modelOf(whole), { ...ATTESTED, stage: "challenger" });
  const bare = pinnedConfig(config, { version: "7", runId: "" });
  assert.equal(modelOf(bare), { name: NAME, stage: "challenger", version: "7" });
  const found = configuredModel(attestedConfig(config, ATTESTED));
  assert.match(
    found ? modelLine({ ...found, how: "attested" }) : "",
    "by what the image was released",
  );
});

test.run();
