import { suite } from "uvu";
import * as assert from "uvu/assert";

import { BUILDER } from "../../../src/core/attestations/names.js";
import {
  modelOf,
  modelSchema,
  vulnerabilitiesPredicate,
  vulnerabilitiesSchema,
} from "../../../src/core/attestations/predicates.js";
import { configSchema } from "../../../src/core/config/schema.js";
import { scanErrored, type ScanResult } from "../../../src/core/scan/verdict.js";
import { judged } from "../../forms.js";
import { cosignVulnForm } from "./vuln-form.js";

const ofVulnForm = await cosignVulnForm();
const test = suite("predicates");

const SCANNED: ScanResult = {
  ...scanErrored(""),
  state: "PASSED",
  scanner: { name: "trivy", version: "0.73.0" },
  database: { updatedAt: "2026-11-24T06:00:00.000Z", version: 2 },
  startedAt: "2026-11-24T12:00:00.000Z",
  finishedAt: "2026-11-24T12:00:01.000Z",
};

interface Vuln {
  readonly invocation: object;
  readonly scanner: object;
  readonly metadata: object;
}

test("what_was_found_is_of_cosigns_form", () => {
  const predicate = vulnerabilitiesPredicate(SCANNED, BUILDER);
  assert.equal(ofVulnForm(predicate), []);
  assert.ok(vulnerabilitiesSchema.safeParse(predicate).success);
});

test("rejects_what_is_not_of_cosigns_form", () => {
  const good = vulnerabilitiesPredicate(SCANNED, BUILDER) as Vuln;
  for (const [bad, expected] of [
    [{ ...good, result: {} }, "result"],
    [{ ...good, metadata: { scanStartedOn: "2026-11-24T12:00:00Z" } }, "scanFinishedOn"],
    [{ ...good, metadata: { ...good.metadata, scanStartedOn: "today" } }, "date-time"],
    [{ ...good, scanner: { ...good.scanner, db: { uri: "", version: 2 } } }, "/scanner/db/version"],
    [{ ...good, invocation: { ...good.invocation, producer: "x" } }, "producer"],
    [{ scanner: good.scanner, metadata: good.metadata }, "invocation"],
  ] as const)
    assert.match(ofVulnForm(bad).join("\n"), expected);
  // Without a time the statement would be of no use: a scan of which nothing is known is not attested.
  assert.is.not(ofVulnForm(vulnerabilitiesPredicate(scanErrored("x"), BUILDER)).length, 0);
});

const DIGEST = `sha256:${"0a".repeat(32)}`;

test("the_model_is_of_the_published_form", () => {
  const { model } = configSchema.parse({ model: { name: "rose" } });
  assert.equal(judged("model-predicate", modelOf(model)), []);
  const pinned = { ...model, version: "7", run: "4f1c", digest: DIGEST };
  assert.equal(judged("model-predicate", modelOf(pinned)), []);
});

test("rejects_a_model_that_is_not_of_the_published_form_as_verify_does", () => {
  const good = { name: "rose", stage: "production", version: "7" };
  for (const [bad, expected] of [
    [{ ...good, name: "" }, "/name"],
    [{ ...good, version: 7 }, "/version"],
    [{ ...good, digest: DIGEST }, "/digest"],
    [{ ...good, digest: { sha256: "0A" } }, "/digest/sha256"],
    [{ ...good, framework: "sklearn" }, "framework"],
    [{ stage: "production" }, "name"],
  ] as const) {
    assert.match(judged("model-predicate", bad).join("\n"), expected);
    assert.not(modelSchema.safeParse(bad).success, JSON.stringify(bad));
  }
});

test.run();
