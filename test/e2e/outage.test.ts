// A registry that breaks down in the middle of a release, at every step that writes to it.
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";

import { makeDatabase } from "../../ci/sandbox/database.js";
import { registryAddress, startRegistry } from "../../ci/sandbox/registry.js";
import { run } from "../../ci/sandbox/run.js";
import { ensureTool } from "../../ci/sandbox/tools.js";
import { Bundles } from "./support/bundles.js";
import { Evidence, makeKeys, refusal } from "./support/evidence.js";
import { failingRegistry } from "./support/failing.js";
import { scratch } from "./support/project.js";
import { programImages } from "./support/programs.js";
import { openSession } from "./support/session.js";
import { serviceWith } from "./support/vulnerable.js";

await programImages();
const folder = await scratch();
const upstream = await startRegistry();
const registry = await failingRegistry(upstream.address);
const session = await openSession();
await session.serve();
const database = join(folder.path, "database");
await makeDatabase(database);
const keys = await makeKeys(join(folder.path, "keys"));
const source = await serviceWith("0.16.0", join(folder.path, "service"));
const evidence = new Evidence(session, source, { database, registry: registry.address }, keys);

const test = suite("outages");
test.after(async () => {
  await session.close();
  await registry.stop();
  await upstream.stop();
  await folder.forget();
});

/** Tags of a repository that somebody could deploy by. */
async function tagsOf(name: string): Promise<string[]> {
  const response = await fetch(`http://${upstream.address}/v2/${name}/tags/list`);
  const { tags } = (await response.json()) as { tags?: string[] | null };
  return (tags ?? []).filter((tag) => !/^(build-|sha256-)/.test(tag)).sort();
}

/** What writes a manifest, in the order of a release: each bundle is two, itself and the list. */
const STEPS = [
  [0, "push", /503|UNAVAILABLE|disk is full/],
  [1, "sign, at the signature", /was not signed/],
  [8, "attest, at the list of the third statement", /was not attested \(vulnerabilities\)/],
  [13, "the first tag", /503|UNAVAILABLE|disk is full/],
] as const;

for (const [taken, step, expected] of STEPS) {
  test(`leaves_no_tag_when_the_registry_fails_at_${step.replaceAll(/\W+/g, "_")}`, async () => {
    const name = `team/outage-${taken}`;
    const args = { repository: `${registry.address}/${name}`, tags: ["1.4.2", "latest"] };
    registry.left = taken;
    const said = await refusal(evidence.release(args));
    assert.match(said, expected);
    assert.equal(await tagsOf(name), []);
    registry.left = undefined;
    const { digest, table } = await evidence.release(args);
    assert.match(table, /VERIFIED\n$/);
    assert.equal(await tagsOf(name), ["1.4.2", "latest"]);
    const attached = await new Bundles(upstream.address, name).of(digest);
    assert.is(attached.length, 6, "a signature and five attestations, none twice");
  });
}

/** What a registry that still takes every manifest refuses, and what is there all the same. */
const REFUSALS = [
  ["layers", /^(POST|PATCH|PUT) .*\/blobs\//, /503|UNAVAILABLE|disk is full/],
  ["the statements", /^GET .*\/manifests\/sha256-/, /was not signed|stopped by the verification/],
] as const;

for (const [what, refused, expected] of REFUSALS) {
  test(`leaves_no_tag_when_the_registry_refuses_${what.replaceAll(" ", "_")}`, async () => {
    const name = `team/refused-${what.replaceAll(" ", "-")}`;
    const args = { repository: `${registry.address}/${name}`, tags: ["1.4.2"] };
    registry.refused = refused;
    try {
      assert.match(await refusal(evidence.release(args)), expected);
    } finally {
      registry.refused = undefined;
    }
    assert.equal(await tagsOf(name), []);
    const { table } = await evidence.release(args);
    assert.match(table, /VERIFIED\n$/);
    assert.equal(await tagsOf(name), ["1.4.2"]);
  });
}

test("leaves_no_tag_when_the_registry_is_away_while_the_image_is_verified", async () => {
  const name = "team/outage-verify";
  const args = { repository: `${registry.address}/${name}`, tags: ["1.4.2"] };
  let lists = 0;
  registry.taken = (reference) => {
    // The sixth list names the signature and all statements: from here on nothing is to be read.
    if (reference.startsWith("sha256-") && ++lists === 6) registry.refused = /^GET /;
    return Promise.resolve();
  };
  try {
    const said = await refusal(evidence.release(args));
    assert.is(lists, 6);
    assert.match(said, /stopped by the verification; no tag was moved/);
  } finally {
    registry.taken = undefined;
    registry.refused = undefined;
  }
  assert.equal(await tagsOf(name), []);
  const before = registry.put();
  assert.match((await evidence.release(args)).table, /VERIFIED\n$/);
  assert.is(registry.put() - before, 2, "one push and one tag; nothing is signed again");
});

test("signs_and_tags_what_it_pushed_though_somebody_moves_the_tag_in_between", async () => {
  const name = "team/moved";
  const crane = await ensureTool("crane");
  const evil = `${registryAddress()}/library/busybox:stable`;
  const moved: string[] = [];
  registry.taken = async (reference) => {
    if (!reference.startsWith("build-") || moved.length > 0) return;
    moved.push(reference);
    await run(crane, ["copy", evil, `${upstream.address}/${name}:${reference}`]);
  };
  const args = { repository: `${registry.address}/${name}`, tags: ["1.4.2"] };
  const { digest } = await evidence.release(args).finally(() => (registry.taken = undefined));
  const at = async (tag: string): Promise<string> =>
    (await run(crane, ["digest", `${upstream.address}/${name}:${tag}`])).trim();
  assert.is(moved.length, 1);
  assert.is.not(await at(moved[0] ?? ""), digest, "it was moved");
  assert.is(await at("1.4.2"), digest);
  const verdict = await evidence.verify(`${registry.address}/${name}:1.4.2`);
  assert.ok(verdict.passed, verdict.table);
  const other = await evidence.verify(`${registry.address}/${name}:${moved[0] ?? ""}`);
  assert.not.ok(other.passed, "what somebody else pushed is signed");
});

test("moves_the_tags_one_by_one_each_to_the_verified_image", async () => {
  const name = "team/outage-tags";
  const args = { repository: `${registry.address}/${name}`, tags: ["1.4.2", "latest"] };
  registry.left = 14;
  const said = await refusal(evidence.release(args));
  assert.match(said, /503|UNAVAILABLE|disk is full/);
  assert.equal(await tagsOf(name), ["1.4.2"]);
  registry.left = undefined;
  const before = registry.put();
  const { reference, tags } = await evidence.release(args);
  for (const tag of tags) assert.is((await evidence.verify(tag)).reference, reference);
  assert.is(registry.put() - before, 3, "one push and two tags; nothing is signed again");
});

test.run();
