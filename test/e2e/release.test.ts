// From the source to tags on a verified image, with the real cosign and trivy.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { suite } from "uvu";
import * as assert from "uvu/assert";

import { makeDatabase } from "../../ci/sandbox/database.js";
import { startRegistry } from "../../ci/sandbox/registry.js";
import { PREDICATE_NAMES } from "../../src/core/attestations/names.js";
import type { Provenance } from "../../src/core/provenance.js";
import { cosignVulnForm } from "../core/attestations/vuln-form.js";
import { judged } from "../forms.js";
import { environment } from "./support/by-hand.js";
import { cosign, Evidence, makeKeys, PASSWORD, refusal, secret } from "./support/evidence.js";
import { inspect } from "./support/image.js";
import { scratch } from "./support/project.js";
import { programImages } from "./support/programs.js";
import { openSession, ROOT } from "./support/session.js";
import { serviceWith } from "./support/vulnerable.js";

await programImages();
const folder = await scratch();
const registry = await startRegistry();
const session = await openSession();
await session.serve();
const database = join(folder.path, "database");
await makeDatabase(database);
const keys = await makeKeys(join(folder.path, "keys"));
const given = { database, registry: registry.address };
const good = await serviceWith("0.16.0", join(folder.path, "good"));
const evidence = new Evidence(session, good, given, keys);
const repository = `${registry.address}/team/greeter`;
const facts = {
  revision: "0123456789abcdef0123456789abcdef01234567",
  sourceUrl: "https://git.example/team/greeter",
};

const test = suite("release");
test.after(async () => {
  await session.close();
  await registry.stop();
  await folder.forget();
});

/** Tags of a repository; none when there is no such. */
async function tagsOf(name: string): Promise<string[]> {
  const response = await fetch(`http://${registry.address}/v2/${name}/tags/list`);
  const { tags } = (await response.json()) as { tags?: string[] | null };
  return (tags ?? []).sort();
}

/** How many bundles are attached to an image. */
async function bundles(digest: string): Promise<number> {
  const tag = digest.replace(":", "-");
  const response = await fetch(`http://${registry.address}/v2/team/greeter/manifests/${tag}`, {
    headers: { accept: "application/vnd.oci.image.index.v1+json" },
  });
  const { manifests = [] } = (await response.json()) as { manifests?: unknown[] };
  return manifests.length;
}

test("ends_with_tags_on_an_image_that_is_verified_rule_by_rule", async () => {
  const released = await evidence.release({ repository, tags: ["1.4.2", "latest"], ...facts });
  assert.equal(released.tags, [`${repository}:1.4.2`, `${repository}:latest`]);
  for (const tag of released.tags) assert.is((await inspect(tag)).Digest, released.digest);
  assert.match(released.table, /VERIFIED\n$/);
  for (const rule of [
    "signature",
    "provenance",
    "builder",
    "sbom",
    "vulnerabilities",
    "scan age",
    "tests",
  ])
    assert.match(released.table, new RegExp(`^${rule} +ok `, "m"));
  assert.match(released.markdown, /SLSA build level 1/);
  const verdict = await evidence.verify(`${repository}:latest`, {
    set: [
      `verify.source=${facts.sourceUrl}`,
      "verify.predicates=provenance,sbom,vulnerabilities,tests,model",
    ],
  });
  assert.ok(verdict.passed, verdict.table);
  assert.is(verdict.reference, released.reference);
});

test("adds_nothing_when_it_is_run_again", async () => {
  const { Digest } = await inspect(`${repository}:latest`);
  const before = await bundles(Digest);
  assert.is(before, 6, "a signature and five attestations");
  const again = await evidence.release({ repository, tags: ["1.4.2", "latest"], ...facts });
  assert.is(again.digest, Digest);
  assert.is(await bundles(Digest), before);
});

test("is_verified_by_cosign_alone_with_the_lines_that_it_shows", async () => {
  const { markdown } = await evidence.verify(`${repository}:1.4.2`);
  const lines = markdown.split("\n").filter((line) => line.startsWith("cosign "));
  assert.is(lines.length, 5);
  for (const line of lines) {
    const { code, stderr } = await cosign(line.split(" ").slice(1), { cwd: keys.folder });
    assert.is(code, 0, `${line}\n${stderr}`);
  }
});

test("makes_statements_that_the_schemas_of_their_makers_accept", async () => {
  const out = join(folder.path, "evidence");
  const again = { repository, tags: ["1.4.2", "latest"], ...facts };
  const set = [`verify.predicates=${PREDICATE_NAMES.join(",")}`];
  const whole = new Evidence(session, good, { ...given, set }, keys);
  await whole.release(again, `evidence { export(path: ${JSON.stringify(out)}) }`);
  const python = await environment(
    folder.path,
    ["cyclonedx-python-lib[json-validation]==11.12.0", "in-toto-attestation==0.9.3"],
    ["statements"],
  );
  const program = fileURLToPath(new URL("support/validate.py", import.meta.url));
  const statements = join(out, "statements");
  const inPython = await python("python", program, statements);
  // Two of provenance: the image was released before by other parameters, which is another statement.
  const judgedThere = inPython.stdout.split("\n").slice(0, -1);
  assert.equal(judgedThere, ["provenance", "provenance", "sbom", "tests"]);
  assert.is(inPython.code, 0);
  // cosign's form and our own have no judge in Python.
  const predicate = async (name: string): Promise<unknown> => {
    const text = await readFile(join(statements, `${name}-1.json`), "utf8");
    return (JSON.parse(text) as { predicate: unknown }).predicate;
  };
  const found = await predicate("vulnerabilities");
  const ofVulnForm = await cosignVulnForm();
  assert.equal(ofVulnForm(found), []);
  assert.match(ofVulnForm({ ...(found as object), result: {} }).join(), "result");
  const model = await predicate("model");
  assert.equal(judged("model-predicate", model), []);
  assert.match(judged("model-predicate", { ...(model as object), accuracy: 1 }).join(), "accuracy");
  const file = join(statements, "tests-1.json");
  const text = await readFile(file, "utf8");
  await writeFile(file, text.replace('"passedTests"', '"passed_in_secret"'));
  assert.is((await python("python", program, statements)).code, 1, "anything is accepted");
});

test("is_verified_by_the_very_lines_of_the_documentation", async () => {
  const text = await readFile(join(ROOT, "docs", "evidence.md"), "utf8");
  const block = /<!-- commands: [^>]*-->([\s\S]*?)<!-- \/commands -->/.exec(text)?.[1] ?? "";
  const lines = block.split("\n").filter((line) => line.startsWith("cosign "));
  assert.is(lines.length, 5);
  const { reference } = await evidence.verify(`${repository}:1.4.2`);
  for (const line of lines) {
    const words = line.replaceAll('"$IMAGE"', reference).split(" ").slice(1);
    const { code, stderr } = await cosign(words, { cwd: keys.folder });
    assert.is(code, 0, `${line}\n${stderr}`);
  }
});

test("says_which_model_goes_in_and_nothing_where_there_is_none", async () => {
  const out = join(folder.path, "modelled");
  const name = `${registry.address}/team/modelled`;
  const digest = `sha256:${"0a".repeat(32)}`;
  const set = [
    ...["model.name=rose", "model.version=7", "model.run=4f1c", `model.digest=${digest}`],
    "verify.predicates=provenance,model",
  ];
  // In a folder of a repository with several, which the provenance names too.
  const several = join(folder.path, "several");
  await serviceWith("0.16.0", join(several, "services", "greeter"));
  const place = { ...given, folder: "services/greeter" };
  const modelled = new Evidence(session, several, { ...place, set }, keys);
  const { table } = await modelled.release(
    { repository: name, ...facts },
    `evidence { export(path: ${JSON.stringify(out)}) }`,
  );
  assert.match(table, `rose 7 (production) run 4f1c ${digest}`);
  const read = async (file: string): Promise<{ predicate: Provenance }> =>
    JSON.parse(await readFile(join(out, "statements", file), "utf8")) as { predicate: Provenance };
  const { buildDefinition } = (await read("provenance-1.json")).predicate;
  const said = { name: "rose", stage: "production", version: "7", run: "4f1c" };
  assert.equal(buildDefinition.externalParameters.model, said);
  assert.is(buildDefinition.externalParameters.folder, "services/greeter");
  assert.is(buildDefinition.resolvedDependencies.at(-1)?.uri, "models:/rose/7");
  const { Labels } = await inspect(`${name}:1.4.2`);
  assert.is(Labels?.["slipway.model.run"], "4f1c");
  const without = new Evidence(
    session,
    good,
    { ...given, set: ["model.enabled=false", "verify.predicates=provenance,model"] },
    keys,
  );
  const refused = await refusal(without.release({ repository: `${registry.address}/team/none` }));
  assert.match(refused, /stopped by the verification; no tag was moved/);
  assert.match(refused, /model +FAILED +no attestation of it/);
});

test("pushes_nothing_that_the_scan_stops", async () => {
  const bad = await serviceWith("0.14.0", join(folder.path, "bad"));
  const other = new Evidence(session, bad, { ...given, set: ["audit.enabled=false"] }, keys);
  const said = await refusal(other.release({ repository: `${registry.address}/team/bad` }));
  assert.match(said, /stopped by the scan; no tag was moved/);
  assert.match(said, /CVE-2025-43859 in h11 0\.14\.0/);
  assert.equal(await tagsOf("team/bad"), []);
});

test("pushes_nothing_when_a_check_fails", async () => {
  const other = new Evidence(
    session,
    good,
    { ...given, set: ["bandit.enabled=false", "test.markers=none_has_it"] },
    keys,
  );
  const said = await refusal(other.release({ repository: `${registry.address}/team/unchecked` }));
  assert.match(said, /stopped by the checks; no tag was moved/);
  assert.equal(await tagsOf("team/unchecked"), []);
});

test("stops_before_anything_runs_when_the_key_cannot_be_used", async () => {
  const { privateKey, publicKey } = keys;
  const half = privateKey.slice(0, privateKey.length / 2);
  const damaged = privateKey.replace(/\n\w{8}/, "\nAAAAAAAA");
  for (const [key, expected] of [
    ["\n", /it is empty/],
    [half, /cut short/],
    [damaged, /damaged/],
    [publicKey, /it is a public key/],
  ] as const) {
    session.ran();
    const said = await refusal(
      evidence.release({
        repository: `${registry.address}/team/never`,
        key: await secret(session, key),
      }),
    );
    assert.match(said, expected);
    assert.not.match(said, half.slice(60, 100));
    assert.equal(
      session.ran().filter((name) => name.startsWith("exec")),
      [],
    );
  }
  assert.equal(await tagsOf("team/never"), []);
});

test("stops_before_the_checks_when_the_password_is_wrong", async () => {
  session.ran();
  const keyPassword = await secret(session, "not the password");
  const said = await refusal(
    evidence.release({ repository: `${registry.address}/team/never`, keyPassword }),
  );
  assert.match(said, /does not open the signing key/);
  const ran = session.ran().filter((name) => name.startsWith("exec"));
  // Twice, since an answer that is no is never believed from the cache.
  assert.is(ran.length, 2);
  for (const name of ran) assert.match(name, "cosign public-key");
  assert.not.match(said, PASSWORD);
});

test.run();
