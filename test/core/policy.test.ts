import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  BUILDER,
  GITHUB_BUILD_TYPE,
  PREDICATE_NAMES,
  PREDICATE_TYPES,
  type PredicateName,
} from "../../src/core/attestations/names.js";
import { billFor, type Model } from "../../src/core/attestations/predicates.js";
import type { Statement } from "../../src/core/attestations/statement.js";
import type { Config } from "../../src/core/config/schema.js";
import { evidenceMarkdown, rulesTable } from "../../src/core/evidence.js";
import { allWell, decide, type Evidence, type Rule } from "../../src/core/policy.js";
import { readOrigin } from "../../src/core/origin.js";
import { provenance, type Provenance } from "../../src/core/provenance.js";

const test = suite("policy");

const HEX = "0a".repeat(32);
const DIGEST = `sha256:${HEX}`;
const NOW = new Date("2026-11-24T12:00:00Z");
const POLICY: Config["verify"] = {
  key: "cosign.pub",
  predicates: [...PREDICATE_NAMES],
  builder: BUILDER,
  source: "https://git.example/team/greeter",
  age: 24,
};

const withModel = (
  model?: Model,
  platforms: readonly string[] = [],
  resolved?: Model,
): Provenance =>
  provenance({
    source: { repository: "https://git.example/team/greeter", revision: "ab".repeat(20) },
    folder: ".",
    repository: "registry.example/team/greeter",
    platforms,
    configuration: { test: {} },
    images: { "base image": `registry.example/python:3.13-slim@${DIGEST}` },
    ...{ model, resolved },
    files: { "poetry.lock": HEX },
    invocationId: "1",
    startedOn: NOW,
    finishedOn: NOW,
  });
const built = withModel();

const scanned = (
  finishedOn: string,
  findings: readonly object[] = [],
  state = "PASSED",
): object => ({
  scanner: { uri: "pkg:x", version: "1", result: { state, counts: {}, findings } },
  metadata: { scanStartedOn: finishedOn, scanFinishedOn: finishedOn },
});

const GOOD: Readonly<Record<PredicateName, unknown>> = {
  provenance: built,
  sbom: { bomFormat: "CycloneDX", specVersion: "1.7", components: [{ name: "h11" }] },
  vulnerabilities: scanned("2026-11-24T11:00:00Z"),
  tests: {
    result: "PASSED",
    configuration: [{ name: "poetry.lock", digest: { sha256: HEX } }],
    passedTests: ["test"],
    failedTests: [],
  },
  model: { name: "iris", stage: "production", version: "7", run: "4f1c", digest: { sha256: HEX } },
};

const statement = (name: PredicateName, predicate: unknown, hex = HEX): Statement => ({
  _type: "https://in-toto.io/Statement/v1",
  subject: [{ digest: { sha256: hex } }],
  predicateType: PREDICATE_TYPES[name],
  predicate,
});

function evidence(change: Partial<Record<PredicateName, readonly Statement[]>> = {}): Evidence {
  const good = PREDICATE_NAMES.map((name) => [name, [statement(name, GOOD[name])]] as const);
  return { digest: DIGEST, complaint: "", statements: { ...Object.fromEntries(good), ...change } };
}

const MODEL: Config["model"] = { enabled: true, name: "iris", stage: "production", gates: [] };

function judged(of: Evidence, policy: Partial<Config["verify"]> = {}, model = MODEL): Rule[] {
  return decide(of, { policy: { ...POLICY, ...policy }, model, now: NOW });
}

/** Names of the rules that do not hold. */
function broken(of: Evidence, policy: Partial<Config["verify"]> = {}): string[] {
  return judged(of, policy)
    .filter(({ ok }) => !ok)
    .map(({ rule }) => rule);
}

test("holds_for_an_image_that_has_everything", () => {
  const rules = judged(evidence());
  assert.ok(allWell(rules), rulesTable(rules));
  assert.match(rulesTable(rules), /VERIFIED\n$/);
});

test("fails_without_a_signature_whatever_else_is_there", () => {
  const rules = judged({ ...evidence(), digest: undefined, complaint: "no signatures found" });
  assert.equal(rules, [{ rule: "signature", ok: false, found: "no signatures found" }]);
});

test("fails_when_there_is_no_rule_at_all", () => {
  assert.not.ok(allWell([]));
});

test("believes_the_last_scan_and_none_before_it", () => {
  const earlier = statement("vulnerabilities", scanned("2026-11-24T10:00:00Z"));
  const stopped = statement("vulnerabilities", scanned("2026-11-24T11:30:00Z", [], "FAILED"));
  const illegible = statement("vulnerabilities", { scanner: "?" });
  for (const last of [stopped, illegible])
    for (const vulnerabilities of [
      [earlier, last],
      [last, earlier],
    ])
      assert.equal(broken(evidence({ vulnerabilities })), ["vulnerabilities"]);
  const well = statement("vulnerabilities", scanned("2026-11-24T11:45:00Z"));
  assert.equal(broken(evidence({ vulnerabilities: [stopped, well, earlier] })), []);
});

for (const name of PREDICATE_NAMES) {
  test(`fails_when_${name}_is_missing_or_of_another_image_or_of_another_type`, () => {
    assert.equal(broken(evidence({ [name]: [] })), [name]);
    const foreign = statement(name, GOOD[name], "0b".repeat(32));
    assert.equal(broken(evidence({ [name]: [foreign] })), [name]);
    const other = { ...statement(name, GOOD[name]), predicateType: "https://other.example/v1" };
    assert.equal(broken(evidence({ [name]: [other] })), [name]);
  });

  test(`fails_when_${name}_cannot_be_read`, () => {
    for (const predicate of [undefined, null, {}, [], "text"])
      assert.equal(broken(evidence({ [name]: [statement(name, predicate)] })), [name]);
  });
}

test("fails_on_an_external_parameter_that_nobody_described", () => {
  const { buildDefinition } = built;
  const changed = {
    ...built,
    buildDefinition: {
      ...buildDefinition,
      externalParameters: { ...buildDefinition.externalParameters, backdoor: true },
    },
  };
  const of = evidence({ provenance: [statement("provenance", changed)] });
  assert.equal(broken(of), ["provenance"]);
  assert.match(judged(of).find(({ rule }) => rule === "provenance")?.found ?? "", /backdoor/);
});

/** What `actions/attest-build-provenance` says. */
const byGitHub = {
  buildDefinition: {
    buildType: GITHUB_BUILD_TYPE,
    externalParameters: {
      workflow: {
        ref: "refs/tags/v1.4.2",
        repository: "https://github.com/team/greeter",
        path: ".github/workflows/release.yml",
      },
    },
    internalParameters: {
      github: {
        event_name: "push",
        repository_id: "1",
        repository_owner_id: "2",
        runner_environment: "github-hosted",
      },
    },
    resolvedDependencies: [
      {
        uri: "git+https://github.com/team/greeter@refs/tags/v1.4.2",
        digest: { gitCommit: "cd".repeat(20) },
      },
    ],
  },
  runDetails: {
    builder: {
      id: "https://github.com/team/greeter/.github/workflows/release.yml@refs/tags/v1.4.2",
    },
    metadata: { invocationId: "https://github.com/team/greeter/actions/runs/3/attempts/1" },
  },
};

test("believes_a_workflow_of_GitHub_as_the_builder_that_the_policy_names", () => {
  const source = "https://github.com/team/greeter";
  const asked = (builder: string, predicate: unknown = byGitHub): string[] =>
    broken(evidence({ provenance: [statement("provenance", predicate)] }), { builder, source });
  const workflow = `${source}/.github/workflows/release.yml`;
  assert.equal(asked(`${workflow}@refs/tags/v1.4.2`), []);
  assert.equal(asked(`/${workflow}@refs/tags/v.+/`), []);
  assert.equal(asked(`/${workflow}/`), ["builder"], "an expression has to match all of it");
  assert.equal(asked(BUILDER), ["builder"]);
  const { buildDefinition } = byGitHub;
  for (const change of [
    { buildType: "https://example.com/builds/v1" },
    { externalParameters: { ...buildDefinition.externalParameters, inputs: { deploy: "yes" } } },
  ])
    assert.equal(
      asked(`${workflow}@refs/tags/v1.4.2`, {
        ...byGitHub,
        buildDefinition: { ...buildDefinition, ...change },
      }),
      ["provenance"],
    );
  assert.is(readOrigin(byGitHub).data?.commit, "cd".repeat(20));
  assert.is(readOrigin(built).data?.commit, "ab".repeat(20));
});

test("fails_on_another_builder_build_type_or_source", () => {
  const run = { ...built, runDetails: { ...built.runDetails, builder: { id: "urn:other" } } };
  assert.equal(broken(evidence({ provenance: [statement("provenance", run)] })), ["builder"]);
  const type = { ...built, buildDefinition: { ...built.buildDefinition, buildType: "urn:other" } };
  assert.equal(broken(evidence({ provenance: [statement("provenance", type)] })), ["provenance"]);
  assert.equal(broken(evidence(), { source: "https://git.example/team/other" }), ["source"]);
  assert.equal(broken(evidence(), { source: undefined }), []);
});

test("fails_on_a_scan_that_is_old_from_the_future_or_that_found_something", () => {
  const of = (predicate: unknown): Evidence =>
    evidence({ vulnerabilities: [statement("vulnerabilities", predicate)] });
  assert.equal(broken(of(scanned("2026-11-23T11:00:00Z"))), ["scan age"]);
  assert.equal(broken(of(scanned("2026-11-25T12:00:00Z"))), ["scan age"]);
  const at = "2026-11-24T11:00:00Z";
  for (const [finding, state, expected] of [
    [{ id: "CVE-1", severity: "LOW", status: "blocks" }, "FAILED", ["vulnerabilities"]],
    [{ id: "CVE-1", severity: "LOW", status: "blocks" }, "PASSED", ["vulnerabilities"]],
    [{ id: "CVE-1", severity: "CRITICAL", status: "reported" }, "PASSED", ["vulnerabilities"]],
    [{ id: "CVE-1", severity: "CRITICAL", status: "ignored" }, "PASSED", []],
    [{ id: "CVE-1", severity: "HIGH", status: "reported" }, "PASSED", []],
  ] as const)
    assert.equal(broken(of(scanned(at, [finding], state))), expected);
  assert.equal(broken(of(scanned(at, [], "ERRORED"))), ["vulnerabilities"]);
});

test("fails_on_tests_that_failed_or_of_which_none_passed", () => {
  for (const change of [
    { result: "FAILED" },
    { result: "WARNED" },
    { passedTests: [] },
    { failedTests: ["lint"] },
  ]) {
    const predicate = { ...(GOOD.tests as object), ...change };
    assert.equal(broken(evidence({ tests: [statement("tests", predicate)] })), ["tests"]);
  }
});

test("fails_on_another_model_than_the_one_that_is_configured", () => {
  const found = (change: Partial<Config["model"]>): Rule | undefined =>
    judged(evidence(), {}, { ...MODEL, ...change }).find(({ rule }) => rule === "model");
  const right = { version: "7", run: "4f1c", digest: DIGEST };
  for (const change of [{}, { version: "7" }, right]) assert.ok(found(change)?.ok);
  assert.is(found(right)?.found, `iris 7 (production) run 4f1c ${DIGEST}`);
  for (const wrong of [
    { name: "rose" },
    { stage: "staging" },
    { version: "8" },
    { run: "ffff" },
    { digest: `sha256:${"0b".repeat(32)}` },
    { enabled: false },
  ]) {
    const rule = found({ ...right, ...wrong });
    assert.is(rule?.ok, false, JSON.stringify(wrong));
    assert.match(rule?.found ?? "", "iris 7 (production) run 4f1c sha256:");
  }
});

test("says_in_the_provenance_which_model_went_in_and_nothing_where_there_is_none", () => {
  const { externalParameters, resolvedDependencies } = built.buildDefinition;
  assert.not.ok("model" in externalParameters);
  const model = { name: "iris", stage: "production", version: "7", run: "4f1c" };
  const { buildDefinition } = withModel({ ...model, digest: { sha256: HEX } });
  assert.equal(buildDefinition.externalParameters.model, model);
  assert.equal(buildDefinition.resolvedDependencies.slice(resolvedDependencies.length), [
    {
      ...{ name: "model", uri: "models:/iris/7", digest: { sha256: HEX } },
      annotations: { name: "iris", version: "7", run: "4f1c" },
    },
  ]);
  const asked = { name: "iris", stage: "production" };
  const pinned = withModel(asked, [], { ...model, digest: { sha256: HEX } }).buildDefinition;
  assert.equal(pinned.externalParameters.model, asked, "what was found is no parameter");
  assert.is(pinned.resolvedDependencies.at(-1)?.uri, "models:/iris/7");
  const staged = { name: "iris", stage: "production", digest: { sha256: HEX } };
  assert.is(
    withModel(staged).buildDefinition.resolvedDependencies.at(-1)?.uri,
    "models:/iris@production",
  );
  assert.equal(
    withModel(model).buildDefinition.resolvedDependencies,
    resolvedDependencies,
    "without a digest it is not resolved",
  );
  const of = evidence({ provenance: [statement("provenance", withModel(model))] });
  assert.equal(broken(of), []);
  const more = { ...withModel(model), buildDefinition: { ...buildDefinition } };
  const odd = { ...model, weights: "other" };
  more.buildDefinition.externalParameters = { ...externalParameters, model: odd };
  assert.equal(broken(evidence({ provenance: [statement("provenance", more)] })), ["provenance"]);
});

test("fails_when_one_of_several_platforms_has_no_bill_of_materials", () => {
  const provenance = [
    statement("provenance", withModel(undefined, ["linux/amd64", "linux/arm64"])),
  ];
  const bill = (platform?: string): Statement =>
    statement("sbom", billFor(platform, JSON.stringify(GOOD.sbom)));
  const sbom = (...bills: Statement[]): Rule | undefined =>
    judged(evidence({ provenance, sbom: bills })).find(({ rule }) => rule === "sbom");
  const both = sbom(bill("linux/arm64"), bill("linux/amd64"));
  assert.ok(both?.ok);
  assert.is(both.found, "linux/amd64: 1 component, linux/arm64: 1 component");
  const one = sbom(bill("linux/amd64"), bill(), bill("linux/s390x"));
  assert.is(one?.ok, false);
  assert.is(one?.found, "there is none of linux/arm64");
  const foreign = statement(
    "sbom",
    billFor("linux/arm64", JSON.stringify(GOOD.sbom)),
    "0b".repeat(32),
  );
  assert.is(sbom(bill("linux/amd64"), foreign)?.ok, false);
  const single = [statement("provenance", withModel(undefined, ["linux/amd64"]))];
  assert.equal(broken(evidence({ provenance: single })), []);
});

test("takes_one_good_statement_among_older_ones", () => {
  const old = statement("vulnerabilities", scanned("2026-01-01T00:00:00Z"));
  const fresh = statement("vulnerabilities", GOOD.vulnerabilities);
  for (const list of [
    [old, fresh],
    [fresh, old],
  ])
    assert.equal(broken(evidence({ vulnerabilities: list })), []);
});

test("claims_no_more_than_level_1", () => {
  const verifier = { kind: "key", publicKey: "" } as const;
  const shown = { reference: `registry.example/x@${DIGEST}`, rules: judged(evidence()), verifier };
  const text = evidenceMarkdown({ ...shown, predicates: ["provenance"], builder: BUILDER });
  assert.match(text, "SLSA build level 1: signed inside of the job");
  assert.match(
    text,
    `cosign verify-attestation --type slsaprovenance1 --key cosign.pub --insecure-ignore-tlog=true registry.example/x@${DIGEST}`,
  );
  const none = evidenceMarkdown({ ...shown, predicates: [], builder: "" });
  assert.match(none, "SLSA build level none");
});

test("resolves_only_what_has_a_digest", () => {
  const { resolvedDependencies } = built.buildDefinition;
  assert.equal(
    resolvedDependencies.map(({ name, digest }) => [name, Object.keys(digest)]),
    [
      ["source", ["gitCommit"]],
      ["base image", ["sha256"]],
      ["poetry.lock", ["sha256"]],
    ],
  );
  assert.throws(() =>
    provenance({
      source: { repository: "", revision: "" },
      folder: ".",
      repository: "registry.example/x",
      platforms: [],
      configuration: {},
      images: { uv: "registry.example/uv:1" },
      files: {},
      invocationId: "1",
      startedOn: NOW,
      finishedOn: NOW,
    }),
  );
});

test.run();
