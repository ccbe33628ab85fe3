import { suite } from "uvu";
import * as assert from "uvu/assert";
import { configuredModel, pin } from "../../../src/core/model/pin.js";
import { chosenVersion, wantedOf } from "../../../src/core/model/resolve.js";
import type { PinnedModel, RegistryFacts } from "../../../src/core/model/types.js";
import { raises } from "../raises.js";
import { facts, MISSING, model, NAME, refused, TRACKING, type Told } from "./facts.js";

const test = suite("which version of the model");

const HEX = "0a".repeat(32);
const known = { tracking: TRACKING };

function pinned(settings: object, told: RegistryFacts, live?: string): PinnedModel {
  return pin(model(settings), told, {
    ...known,
    live: live === undefined ? undefined : { name: NAME, version: live },
  });
}

function refusal(settings: object, told: RegistryFacts, live?: string): string {
  return raises("MODEL", () => pinned(settings, told, live));
}

const THREE: Readonly<Record<string, Told>> = { "6": {}, "7": {}, "8": { stage: "Production" } };

test("takes_the_number_before_alias_and_stage", () => {
  const told = facts(THREE, { production: "7", challenger: "8" });
  const found = pinned({ version: "6", alias: "challenger" }, told);
  assert.is(found.uri, `models:/${NAME}/6`);
  assert.is(found.how, "version");
  assert.is(found.alias, undefined);
  assert.is(found.runId, "run-6");
});

test("takes_the_alias_before_the_stage", () => {
  const told = facts(THREE, { production: "7", challenger: "6" });
  const found = pinned({ alias: "challenger" }, told);
  assert.equal([found.version, found.how, found.alias], ["6", "alias", "challenger"]);
  assert.equal(found.warnings, []);
});

test("takes_the_stages_name_for_an_alias_by_default", () => {
  const found = pinned({}, facts(THREE, { production: "7" }));
  assert.equal([found.version, found.how, found.alias], ["7", "default", "production"]);
});

test("takes_the_legacy_stage_last_and_warns", () => {
  const found = pinned({}, facts(THREE, { challenger: "6" }));
  assert.equal([found.version, found.how, found.stage], ["8", "stage", "production"]);
  assert.match(found.warnings.join(), /stage production: MLflow gives stages up.*alias.*version 8/);
});

test("rejects_an_alias_that_is_not_there_though_a_stage_would_be", () => {
  const said = refusal({ alias: "prodution" }, facts(THREE, { production: "7" }));
  assert.match(said, /no alias prodution: did you mean production\? .*production \(7\)/);
  assert.match(said, "its newest version is 8");
});

test("rejects_a_model_that_has_nothing_of_the_name", () => {
  const said = refusal({ stage: "staging" }, facts({ "1": {} }));
  assert.match(said, /neither an alias nor a stage staging: It has no alias.*MODEL_VERSION/);
});

test("rejects_a_model_that_is_unknown", () => {
  const said = refusal({ name: "irs" }, facts({}, {}, { registered: MISSING }));
  assert.match(
    said,
    /model irs cannot be looked up at https:\/\/models.example: .*no model of this/,
  );
});

test("rejects_a_version_that_is_unknown", () => {
  const told = facts(THREE, { production: "7" });
  const versions = { ...told.versions, "99": { version: MISSING } };
  const said = refusal({ version: "99" }, { ...told, versions });
  assert.match(said, /there is no such version\. It has the aliases production \(7\)/);
});

test("rejects_a_version_that_was_not_asked_for", () => {
  assert.match(refusal({ version: "99" }, facts(THREE)), "it was not asked for");
});

test("rejects_a_version_that_is_not_ready", () => {
  for (const [status, next] of [
    ["PENDING_REGISTRATION", "Wait"],
    ["FAILED_REGISTRATION", "Register it anew"],
  ] as const) {
    const said = refusal({ version: "1" }, facts({ "1": { status } }));
    assert.match(said, `it is ${status}, not READY. ${next}`);
  }
});

test("rejects_a_run_or_digest_other_than_the_configured_one", () => {
  const told = facts({ "1": { tags: { digest: `sha256:${HEX}` } } });
  const wanted = { version: "1", run: "run-2", digest: `sha256:${"0b".repeat(32)}` };
  const said = refusal(wanted, told);
  assert.match(said, "model.run: version 1 is of the run run-1, expected run-2");
  assert.match(said, /model.digest: .*sha256:0a0a.*, expected sha256:0b0b/);
  const none = refusal({ version: "1", digest: `sha256:${HEX}` }, facts({ "1": {} }));
  assert.match(none, "no digest that can be known");
});

test("knows_the_digest_by_its_tag_else_by_what_was_read", () => {
  const tagged = facts({ "1": { tags: { digest: HEX } } });
  assert.is(chosenVersion(model({ version: "1" }), tagged, known).digest, `sha256:${HEX}`);
  assert.is(pinned({ version: "1" }, tagged).digest, `sha256:${HEX}`);
  const odd = facts({ "1": { tags: { digest: "md5:1234" } } });
  assert.equal(chosenVersion(model({ version: "1" }), odd, known), {
    version: "1",
    digest: undefined,
  });
  const digest = `sha256:${"0c".repeat(32)}`;
  assert.is(pin(model({ version: "1" }), odd, { ...known, digest }).digest, digest);
  const warned = pin(model({ version: "1" }), odd, { ...known, warning: "not known" });
  assert.is(warned.digest, undefined);
  assert.equal(warned.warnings, ["not known"]);
});

test("tells_every_gate_that_does_not_hold_at_once", () => {
  const gates = [
    { metric: "accuracy", minimum: 0.9 },
    { metric: "loss", maximum: 0.1 },
    { metric: "recall", minimum: 0.5 },
  ];
  const told = facts({ "1": { metrics: { accuracy: 0.8, loss: 0.05, recall: "NaN" } } });
  const said = refusal({ version: "1", gates }, told);
  assert.match(said, "not to be deployed: 2 of 3 gates do not hold");
  assert.match(said, "model.gates accuracy: 0.8, wanted at least 0.9");
  assert.match(said, "model.gates recall: NaN is nothing to compare");
  assert.not.match(said, "loss");
});

test("compares_with_the_version_that_serves_before_the_one_the_alias_names", () => {
  const gates = [{ metric: "accuracy", champion: true }];
  const told = facts(
    {
      "6": { metrics: { accuracy: 0.99 } },
      "7": { metrics: { accuracy: 0.8 } },
      "8": { metrics: { accuracy: 0.9 } },
    },
    { champion: "6", challenger: "8" },
  );
  const settings = { alias: "challenger", moveAlias: "champion", gates };
  assert.match(refusal(settings, told), "0.9, wanted the 0.99 of version 6, the champion");
  assert.equal(pinned(settings, told, "7").gates, [
    {
      metric: "accuracy",
      ok: true,
      value: 0.9,
      champion: 0.8,
      why: "0.9, wanted the 0.8 of version 7, the champion",
    },
  ]);
});

test("has_no_champion_at_first_and_none_to_beat_when_it_is_the_champion", () => {
  const gates = [{ metric: "accuracy", champion: true }];
  const told = facts({ "1": { metrics: { accuracy: 0.9 } } }, { champion: "1" });
  const why = (settings: object, live?: string): string =>
    pinned({ version: "1", gates, ...settings }, told, live)
      .gates.map((gate) => gate.why)
      .join();
  assert.match(why({ moveAlias: "first" }), "there is none");
  assert.match(why({ moveAlias: "champion" }), "which it is itself");
  assert.match(why({}, "1"), "which it is itself");
});

test("rejects_when_the_champion_cannot_be_looked_up_or_has_no_such_metric", () => {
  const gates = [{ metric: "accuracy", champion: true }];
  const told = facts({ "1": {}, "2": { metrics: { accuracy: 0.9 } } });
  assert.match(refusal({ version: "2", gates }, told, "1"), "its run has no accuracy that can be");
  const one = { version: refused(500, "INTERNAL_ERROR", "database is locked") };
  const broken = { ...told, versions: { ...told.versions, "1": one } };
  assert.match(refusal({ version: "2", gates }, broken, "1"), /champion, version 1.*500 .*locked/);
  const gone = { ...told, versions: { ...told.versions, "1": { version: MISSING } } };
  assert.match(refusal({ version: "2", gates }, gone, "1"), "has no accuracy that can be compared");
});

test("compares_with_the_model_that_serves_and_not_with_its_own_version_of_that_number", () => {
  const gates = [{ metric: "accuracy", champion: true }];
  const live = { name: "iris-of-before", version: "2" };
  const told = facts({
    "1": { metrics: { accuracy: 0.9 } },
    "2": { metrics: { accuracy: 0.5 } },
  });
  const before = (accuracy: number): RegistryFacts => ({
    ...told,
    champion: facts({ "2": { metrics: { accuracy } } }).versions["2"] ?? { version: MISSING },
  });
  const against = (version: string, facts: RegistryFacts): PinnedModel =>
    pin(model({ version, gates }), facts, { ...known, live });
  const refusing = (version: string, facts: RegistryFacts): string =>
    raises("MODEL", () => against(version, facts));
  assert.match(
    refusing("1", before(0.95)),
    "0.9, wanted the 0.95 of version 2 of iris-of-before, the champion",
  );
  assert.match(refusing("2", before(0.95)), "0.5, wanted the 0.95", "it is not itself");
  assert.is(against("1", before(0.8)).gates[0]?.champion, 0.8);
  assert.match(refusing("1", told), "no accuracy that can be compared", "it was not looked up");
  const away = { ...told, champion: { version: refused(500, "INTERNAL_ERROR", "locked") } };
  assert.match(refusing("1", away), /champion, version 2 of iris-of-before, .* 500 .*locked/);
});

test("takes_a_version_whose_run_is_gone_unless_a_gate_wants_its_metrics", () => {
  const told = facts({ "1": { run: "" } });
  const versions = { "1": { version: told.versions["1"]?.version ?? MISSING } };
  const found = pinned({ version: "1" }, { ...told, versions });
  assert.equal(found.metrics, {});
  assert.match(found.warnings.join(), "names no run");
  const gates = [{ metric: "accuracy", minimum: 0 }];
  assert.match(refusal({ version: "1", gates }, { ...told, versions }), "has no such metric");
});

test("rejects_when_the_run_cannot_be_read_though_no_gate_wants_it", () => {
  const told = facts({ "1": {} });
  const version = told.versions["1"]?.version ?? MISSING;
  const run = refused(503, "TEMPORARILY_UNAVAILABLE", "later");
  const said = refusal({ version: "1" }, { ...told, versions: { "1": { version, run } } });
  assert.match(said, /run of version 1 .* 503 .*later/);
});

test("keeps_only_metrics_that_are_numbers", () => {
  const metrics = { accuracy: 0.9, auc: "NaN", loss: 1.7976931348623157e308, empty: "" };
  assert.equal(pinned({ version: "1" }, facts({ "1": { metrics } })).metrics, { accuracy: 0.9 });
});

test("says_what_a_registry_that_refuses_said_and_what_to_do", () => {
  const said = (registered: RegistryFacts["registered"]): string =>
    refusal({}, { registered, versions: {} });
  assert.match(
    said({ status: 0, error: "[Errno 111] Connection refused" }),
    /does not answer: .*Connection refused\. Check model.tracking \(MLFLOW_TRACKING_URI\)/,
  );
  assert.match(said({ status: 401, body: "You are not authenticated" }), /401: You.*modelToken/);
  assert.match(
    said({ status: 403, body: "Invalid Host header - possible DNS rebinding attack detected" }),
    /403: Invalid Host header.*--allowed-hosts/,
  );
  assert.match(
    said({ status: 302, body: "it leads to https://login.example" }),
    /login.*Set model/,
  );
  assert.match(said(refused(500, "INTERNAL_ERROR", "boom")), /500 INTERNAL_ERROR: boom.*its log/);
  assert.match(said({ status: 404, body: "<html>" }), /404: <html>.*right, with its path\?/);
  for (const body of ["<html>hello</html>", {}, null, { registered_model: { aliases: 3 } }])
    assert.match(said({ status: 200, body }), "the answer is not one of MLflow's");
});

test("asks_only_for_what_the_decision_needs", () => {
  assert.equal(wantedOf(model({})), {
    ...{ name: NAME, versions: [], aliases: ["production"], stages: ["production"] },
  });
  assert.equal(
    wantedOf(model({ alias: "challenger", moveAlias: "champion" }), { name: NAME, version: "3" }),
    {
      ...{ name: NAME, versions: ["3"], aliases: ["challenger", "champion"], stages: [] },
    },
  );
  assert.equal(wantedOf(model({ version: "7", alias: "champion" }), { name: NAME, version: "6" }), {
    ...{ name: NAME, versions: ["7", "6"], aliases: [], stages: [] },
  });
  const champion = { name: "iris-of-before", version: "6" };
  assert.equal(wantedOf(model({ version: "7" }), champion), {
    ...{ name: NAME, versions: ["7"], aliases: [], stages: [], champion },
  });
});

test("believes_the_configuration_where_there_is_no_registry_and_says_so", () => {
  assert.is(configuredModel(model({})), undefined);
  assert.is(configuredModel(model({ enabled: false, version: "7" })), undefined);
  const found = configuredModel(model({ version: "7", run: "4f1c" }));
  assert.equal([found?.uri, found?.runId, found?.how], [`models:/${NAME}/7`, "4f1c", "configured"]);
  assert.match(found?.warnings.join() ?? "", "no registry was asked");
});

test.run();
