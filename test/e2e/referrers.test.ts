// The same evidence in a registry with the referrers API and in one without: both are found and
// believed, and each lies where such a registry has it.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";

import { registryAddress, startRegistry } from "../../ci/sandbox/registry.js";
import { run } from "../../ci/sandbox/run.js";
import { ensureTool } from "../../ci/sandbox/tools.js";
import { Evidence, makeKeys } from "./support/evidence.js";
import { fixture, scratch } from "./support/project.js";
import { programImages } from "./support/programs.js";
import { openSession } from "./support/session.js";

await programImages();
const folder = await scratch();
const session = await openSession();
await session.serve();
const keys = await makeKeys(join(folder.path, "keys"));
const predicates = {
  tests: { result: "PASSED", configuration: [], passedTests: ["test"] },
  model: { name: "iris-random-forest", stage: "production" },
};

const test = suite("registries and referrers");
test.after(async () => {
  await session.close();
  await folder.forget();
});

interface Found {
  /** Status of the referrers API. */
  readonly status: number;
  /** What it lists; empty when it has none. */
  readonly referrers: readonly string[];
  readonly tags: readonly string[];
}

/** What a registry shows of an image's companions. */
async function companions(base: string, digest: string): Promise<Found> {
  const response = await fetch(`${base}/referrers/${digest}`);
  const text = await response.text();
  const { manifests = [] } = (response.ok ? JSON.parse(text) : {}) as {
    manifests?: { digest: string }[];
  };
  const listed = (await (await fetch(`${base}/tags/list`)).json()) as { tags: string[] };
  return {
    status: response.status,
    referrers: manifests.map(({ digest: each }) => each),
    tags: listed.tags.sort(),
  };
}

/** Signs, attests and verifies an image in a registry; gives what lies beside it then. */
async function proven(address: string): Promise<Found & { readonly digest: string }> {
  const name = `${address}/team/image`;
  const crane = await ensureTool("crane");
  await run(crane, ["copy", `${registryAddress()}/library/busybox:stable`, `${name}:1`]);
  const digest = (await run(crane, ["digest", `${name}:1`])).trim();
  const reference = `${name}@${digest}`;
  const evidence = new Evidence(
    session,
    fixture("pep621-project"),
    { registry: address, set: ["verify.predicates=tests,model"] },
    keys,
  );
  assert.not.ok((await evidence.verify(reference)).passed, "it verifies what nobody signed");
  assert.is(await evidence.sign(reference), `signed ${reference}`);
  assert.match(await evidence.sign(reference), /was signed with this key already/);
  for (const [attested, predicate] of Object.entries(predicates)) {
    const file = join(folder.path, `${attested}.json`);
    await writeFile(file, JSON.stringify(predicate));
    assert.is(
      await evidence.attest(reference, attested, file),
      `attested ${attested} of ${reference}`,
    );
    assert.match(await evidence.attest(reference, attested, file), /was attested already/);
  }
  const verdict = await evidence.verify(`${name}:1`);
  assert.ok(verdict.passed, verdict.table);
  assert.is(verdict.reference, reference);
  const out = join(folder.path, address);
  await evidence.evidence(reference, out);
  assert.match(await readFile(join(out, "evidence.json"), "utf8"), '"verified":true');
  assert.match(await readFile(join(out, "statements", "model-1.json"), "utf8"), "iris-random");
  return { digest, ...(await companions(`http://${address}/v2/team/image`, digest)) };
}

test("attaches_evidence_by_the_referrers_api_where_there_is_one", async () => {
  const registry = await startRegistry({ referrers: true });
  try {
    const { status, referrers, tags } = await proven(registry.address);
    assert.is(status, 200);
    assert.is(new Set(referrers).size, 3, "a signature and two attestations");
    assert.equal(tags, ["1"], "nothing but the image has a tag");
  } finally {
    await registry.stop();
  }
});

test("attaches_evidence_by_a_tag_where_there_is_no_referrers_api", async () => {
  const registry = await startRegistry();
  try {
    const { status, referrers, tags, digest } = await proven(registry.address);
    assert.is(status, 404);
    assert.equal(referrers, []);
    assert.equal(tags, ["1", digest.replace(":", "-")]);
  } finally {
    await registry.stop();
  }
});

test.run();
