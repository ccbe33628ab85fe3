// Forged, missing and foreign evidence, with the real cosign and a registry without the referrers
// API: whatever is wrong, verification says so.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";

import { startRegistry, registryAddress } from "../../ci/sandbox/registry.js";
import { run } from "../../ci/sandbox/run.js";
import { ensureTool } from "../../ci/sandbox/tools.js";
import { PREDICATE_NAMES, type PredicateName } from "../../src/core/attestations/names.js";
import { provenance } from "../../src/core/provenance.js";
import { Bundles } from "./support/bundles.js";
import {
  cosign,
  Evidence,
  makeKeys,
  PASSWORD,
  refusal,
  secret,
  type Verdict,
} from "./support/evidence.js";
import { fixture, scratch } from "./support/project.js";
import { programImages } from "./support/programs.js";
import { openSession } from "./support/session.js";

const HEX = "0a".repeat(32);
await programImages();
const folder = await scratch();
const registry = await startRegistry();
const session = await openSession();
await session.serve();
const keys = await makeKeys(join(folder.path, "keys"));
const others = await makeKeys(join(folder.path, "others"));
const evidence = new Evidence(
  session,
  fixture("pep621-project"),
  { registry: registry.address },
  keys,
);
const bundles = new Bundles(registry.address, "team/image");
const repository = `${registry.address}/team/image`;

const test = suite("evidence");
test.after(async () => {
  await session.close();
  await registry.stop();
  await folder.forget();
});

let images = 0;

/** Pushes an image that no other is equal to; gives its digest. */
async function push(tag = `t${++images}`): Promise<string> {
  const crane = await ensureTool("crane");
  const base = `${registryAddress()}/library/busybox:stable`;
  const label = `number=${++images}`;
  const args = [
    "mutate",
    "--platform=linux/amd64",
    base,
    "--label",
    label,
    "--tag",
    `${repository}:${tag}`,
  ];
  const reference = await run(crane, args);
  return reference.trim().split("@")[1] ?? "";
}

const now = new Date();

const GOOD: Readonly<Record<PredicateName, object>> = {
  provenance: provenance({
    source: { repository: "https://git.example/team/image", revision: "ab".repeat(20) },
    folder: ".",
    repository,
    platforms: [],
    configuration: {},
    images: { "base image": `registry.example/python:3.13-slim@sha256:${HEX}` },
    files: { "poetry.lock": HEX },
    invocationId: "1",
    startedOn: now,
    finishedOn: now,
  }),
  sbom: {
    bomFormat: "CycloneDX",
    specVersion: "1.7",
    components: [{ type: "library", name: "h11" }],
  },
  vulnerabilities: scanned(now, "PASSED"),
  tests: {
    result: "PASSED",
    configuration: [{ name: "poetry.lock", digest: { sha256: HEX } }],
    passedTests: ["test"],
  },
  model: { name: "iris", stage: "production" },
};

function scanned(at: Date, state: string, findings: readonly object[] = []): object {
  const time = at.toISOString();
  return {
    invocation: { parameters: [], uri: "", event_id: "", "builder.id": "" },
    scanner: {
      uri: "pkg:x",
      version: "1",
      db: { uri: "", version: "" },
      result: { state, counts: {}, findings },
    },
    metadata: { scanStartedOn: time, scanFinishedOn: time },
  };
}

const TYPES: Partial<Record<PredicateName, string>> = {
  provenance: "slsaprovenance1",
  sbom: "cyclonedx",
  vulnerabilities: "vuln",
  tests: "https://in-toto.io/attestation/test-result/v0.1",
  model: "urn:slipway:predicate:model:v1",
};

await cosign(["signing-config", "create", "--out", join(folder.path, "config.json")]);
await cosign(["trusted-root", "create", "--out", join(folder.path, "root.json")]);

/** Signs or attests as anybody with a key can, without Slipway. */
async function byHand(digest: string, args: readonly string[], by = keys): Promise<void> {
  const { code, stderr } = await cosign([
    ...args,
    ...["--key", join(by.folder, "cosign.key"), "--yes", "--allow-http-registry"],
    ...["--signing-config", join(folder.path, "config.json")],
    ...["--trusted-root", join(folder.path, "root.json"), `${repository}@${digest}`],
  ]);
  if (code !== 0) throw new Error(stderr);
}

async function attest(
  digest: string,
  change: Partial<Record<PredicateName, object | undefined>> = {},
): Promise<void> {
  for (const name of PREDICATE_NAMES) {
    const predicate = name in change ? change[name] : GOOD[name];
    if (!predicate) continue;
    const file = join(folder.path, `${name}.json`);
    await writeFile(file, JSON.stringify(predicate));
    await byHand(digest, ["attest", "--type", TYPES[name] ?? "", "--predicate", file]);
  }
}

/** A signed image with all its attestations, but for what is changed. */
async function image(
  change: Partial<Record<PredicateName, object | undefined>> = {},
): Promise<string> {
  const digest = await push();
  await byHand(digest, ["sign"]);
  await attest(digest, change);
  return digest;
}

/** Names of the rules that do not hold. */
function broken({ passed, json, table }: Verdict): string[] {
  const { rules } = JSON.parse(json) as { rules: { rule: string; ok: boolean }[] };
  const names = rules.filter(({ ok }) => !ok).map(({ rule }) => rule);
  assert.is(passed, names.length === 0, table);
  return names;
}

const verify = async (digest: string): Promise<Verdict> =>
  await evidence.verify(`${repository}@${digest}`);

test("verifies_what_others_signed_and_attested_with_the_key", async () => {
  const verdict = await verify(await image());
  assert.equal(broken(verdict), [], verdict.table);
});

test("fails_for_another_key", async () => {
  const digest = await image();
  const verdict = await evidence.verify(`${repository}@${digest}`, { keys: others });
  assert.equal(broken(verdict), ["signature"]);
});

test("fails_for_an_image_that_nobody_signed_or_that_does_not_exist", async () => {
  const unsigned = await verify(await push());
  assert.equal(broken(unsigned), ["signature"]);
  assert.match(unsigned.table, "no signatures found");
  const absent = await verify(`sha256:${HEX}`);
  assert.equal(broken(absent), ["signature"]);
});

test("fails_for_attestations_without_a_signature_which_cosign_verify_lets_pass", async () => {
  const digest = await push();
  await attest(digest);
  const reference = `${repository}@${digest}`;
  const flags = ["--key", join(keys.folder, "cosign.pub"), "--insecure-ignore-tlog=true"];
  const alone = await cosign(["verify", ...flags, "--allow-http-registry", reference]);
  assert.is(alone.code, 0, "cosign has become stricter: signedDigest may be simpler");
  const verdict = await verify(digest);
  assert.equal(broken(verdict), ["signature"]);
  assert.match(verdict.table, "only attestations");
});

test("fails_for_the_signature_and_the_attestations_of_another_image", async () => {
  const [good, bad] = [await image(), await push()];
  await bundles.attach(bad, await bundles.of(good));
  assert.equal(broken(await verify(bad)), ["signature"]);
  const signed = await push();
  await byHand(signed, ["sign"]);
  await bundles.attach(signed, [...(await bundles.of(signed)), ...(await bundles.of(good))]);
  assert.equal(broken(await verify(signed)), ["provenance", "sbom", "vulnerabilities", "tests"]);
});

test("fails_for_an_attestation_that_was_altered", async () => {
  const failed = { ...GOOD.tests, result: "FAILED", failedTests: ["test"] };
  const digest = await image({ tests: failed });
  assert.equal(broken(await verify(digest)), ["tests"]);
  const attached = await bundles.of(digest);
  const forged = await Promise.all(
    attached.map(async (one) =>
      (await bundles.statement(one)).predicateType === TYPES.tests
        ? await bundles.altered(one, (text) =>
            text.replace('"FAILED"', '"PASSED"').replace('["test"]', "[]"),
          )
        : one,
    ),
  );
  await bundles.attach(digest, forged);
  const verdict = await verify(digest);
  assert.equal(broken(verdict), ["tests"]);
  assert.match(verdict.table, /tests +FAILED +no attestation of it with a good signature/);
});

test("fails_for_an_attestation_that_somebody_else_signed", async () => {
  const digest = await image({ sbom: undefined });
  assert.equal(broken(await verify(digest)), ["sbom"]);
  const file = join(folder.path, "foreign.json");
  await writeFile(file, JSON.stringify(GOOD.sbom));
  await byHand(digest, ["attest", "--type", "cyclonedx", "--predicate", file], others);
  assert.equal(broken(await verify(digest)), ["sbom"]);
});

test("fails_for_parameters_that_nobody_described_old_scans_and_open_criticals", async () => {
  const { buildDefinition, ...rest } = GOOD.provenance as ReturnType<typeof provenance>;
  const unknown = {
    ...rest,
    buildDefinition: {
      ...buildDefinition,
      externalParameters: { ...buildDefinition.externalParameters, backdoor: "yes" },
    },
  };
  const old = scanned(new Date(now.getTime() - 200 * 3_600_000), "FAILED", [
    { id: "CVE-2025-43859", severity: "CRITICAL", status: "blocks" },
  ]);
  const verdict = await verify(await image({ provenance: unknown, vulnerabilities: old }));
  assert.equal(broken(verdict), ["provenance", "vulnerabilities", "scan age"]);
  assert.match(verdict.table, /backdoor/);
  assert.match(verdict.table, /CVE-2025-43859/);
});

test("fails_for_another_model_than_the_one_that_is_configured", async () => {
  const reference = `${repository}@${await image()}`;
  const verdict = async (...set: string[]): Promise<Verdict> =>
    await evidence.verify(reference, { set: ["verify.predicates=model", ...set] });
  const right = await verdict("model.name=iris");
  assert.equal(broken(right), [], right.table);
  const wrong = await verdict("model.name=iris", "model.version=7");
  assert.equal(broken(wrong), ["model"]);
  assert.match(wrong.table, "iris (production), expected iris 7 (production)");
});

test("signs_no_tag_and_trusts_no_tag_that_was_moved", async () => {
  const digest = await image();
  const crane = await ensureTool("crane");
  await run(crane, ["tag", `${repository}@${digest}`, "moving"]);
  assert.ok((await evidence.verify(`${repository}:moving`)).passed);
  assert.match(await refusal(evidence.sign(`${repository}:moving`)), /has no digest/);
  const evil = await push("moving");
  assert.is.not(evil, digest);
  assert.equal(broken(await evidence.verify(`${repository}:moving`)), ["signature"]);
  assert.ok((await verify(digest)).passed);
});

test("signs_once", async () => {
  const digest = await push();
  const reference = `${repository}@${digest}`;
  assert.is(await evidence.sign(reference), `signed ${reference}`);
  assert.match(await evidence.sign(reference), /was signed with this key already/);
  assert.is((await bundles.of(digest)).length, 1);
});

test("signs_and_verifies_where_a_password_is_asked_for_and_says_so_when_it_is_wrong", async () => {
  const login = { user: "ann", password: "s3cret-of-ann" };
  const closed = await startRegistry({ auth: login });
  try {
    const crane = await ensureTool("crane");
    const config = join(folder.path, "docker");
    const env = { ...process.env, DOCKER_CONFIG: config };
    await run(crane, ["auth", "login", closed.address, "-u", login.user, "-p", login.password], {
      env,
    });
    await run(
      crane,
      ["copy", `${registryAddress()}/library/busybox:stable`, `${closed.address}/team/image:1`],
      { env },
    );
    const digest = (await run(crane, ["digest", `${closed.address}/team/image:1`], { env })).trim();
    const reference = `${closed.address}/team/image@${digest}`;
    const own = new Evidence(
      session,
      fixture("pep621-project"),
      { registry: closed.address },
      keys,
    );
    const username = login.user;
    const password = await secret(session, login.password);
    assert.is(await own.sign(reference, { username, password }), `signed ${reference}`);
    const wrong = await secret(session, "wrong-password-of-ann");
    const said = await refusal(own.sign(reference, { username, password: wrong }));
    assert.match(said, /was not signed: .*UNAUTHORIZED/is);
    assert.not.match(said, "wrong-password-of-ann");
    assert.match(await refusal(own.sign(reference, { username })), /password of ann/);
  } finally {
    await closed.stop();
  }
});

test("verifies_what_was_signed_in_the_form_of_cosign_2_as_many_images_are", async () => {
  const digest = await push();
  const reference = `${repository}@${digest}`;
  const { code, stderr } = await cosign([
    ...["sign", "--key", join(keys.folder, "cosign.key"), "--yes", "--allow-http-registry"],
    ...["--new-bundle-format=false", "--use-signing-config=false", "--tlog-upload=false"],
    reference,
  ]);
  assert.is(code, 0, stderr);
  const set = ["verify.predicates=[]"];
  const verdict = await evidence.verify(reference, { set });
  assert.equal(broken(verdict), [], verdict.table);
  assert.is(verdict.reference, reference);
  assert.equal(broken(await evidence.verify(reference, { set, keys: others })), ["signature"]);
});

test("says_how_a_key_is_to_be_given", async () => {
  const said = await refusal(evidence.sign(`${repository}@sha256:${HEX}`, { key: undefined }));
  assert.match(said, /there is none: pass --key/);
  assert.not.match(said, PASSWORD);
});

test.run();
