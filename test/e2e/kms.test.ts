// A key in a KMS: the real cosign, and a stand-in for Vault's transit engine on loopback.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";

import { registryAddress, startRegistry } from "../../ci/sandbox/registry.js";
import { run } from "../../ci/sandbox/run.js";
import { ensureTool } from "../../ci/sandbox/tools.js";
import { Evidence, makeKeys, refusal, secret } from "./support/evidence.js";
import { watch } from "./support/processes.js";
import { fixture, scratch } from "./support/project.js";
import { programImages } from "./support/programs.js";
import { openSession } from "./support/session.js";
import { startVault } from "./support/vault.js";

/** Nothing else holds it. */
const CANARY = "canary-of-the-vault-44d0";

await programImages();
const folder = await scratch();
const registry = await startRegistry();
const vault = await startVault("release", CANARY);
const session = await openSession();
await session.serve();
const others = await makeKeys(join(folder.path, "others"));
const evidence = new Evidence(
  session,
  fixture("pep621-project"),
  { registry: registry.address, ports: [vault.port], set: ["verify.predicates=model"] },
  others,
);

const test = suite("a key in a KMS");
test.after(async () => {
  await session.close();
  vault.stop();
  await registry.stop();
  await folder.forget();
});

const address = `VAULT_ADDR=http://registry.localhost:${vault.port}`;

async function by(lines: readonly string[], keyReference = "hashivault://release"): Promise<Given> {
  return {
    ...{ key: undefined, keyPassword: undefined, keyReference },
    keyCredentials: await secret(session, lines.join("\n")),
  };
}

type Given = Readonly<Record<string, unknown>>;

const reference = await (async () => {
  const crane = await ensureTool("crane");
  const name = `${registry.address}/team/image`;
  await run(crane, ["copy", `${registryAddress()}/library/busybox:stable`, `${name}:1`]);
  return `${name}@${(await run(crane, ["digest", `${name}:1`])).trim()}`;
})();

test("signs_nothing_with_credentials_that_do_not_open_it_and_shows_none_of_them", async () => {
  for (const [lines, expected] of [
    [[address, "VAULT_TOKEN=wrong-canary"], /hashivault:\/\/release cannot be used: .*permission/i],
    [["VAULT_TOKEN=wrong-canary"], /VAULT_ADDR/],
    [[address, "TOKEN=wrong-canary"], /line 2 of --key-credentials/],
  ] as const) {
    const said = await refusal(evidence.sign(reference, await by(lines)));
    assert.match(said, expected);
    assert.not.match(said, "wrong-canary");
  }
  const good = [address, `VAULT_TOKEN=${CANARY}`];
  const absent = await refusal(evidence.sign(reference, await by(good, "hashivault://absent")));
  assert.match(absent, /hashivault:\/\/absent cannot be used/);
  assert.equal(vault.signed, []);
});

test("signs_and_attests_by_the_kms_and_is_verified_by_its_public_half", async () => {
  const given = await by([address, `VAULT_TOKEN=${CANARY}`]);
  const watched = watch([CANARY], "cosign");
  assert.is(await evidence.sign(reference, given), `signed ${reference}`);
  assert.match(await evidence.sign(reference, given), /was signed with this key already/);
  const model = join(folder.path, "model.json");
  await writeFile(model, JSON.stringify({ name: "iris-random-forest", stage: "production" }));
  await evidence.attest(reference, "model", model, given);
  assert.equal(watched.stop(), []);
  assert.is(vault.signed.length, 2);
  await vault.publicKey(folder.path);
  const keys = { ...others, folder: folder.path };
  const verdict = await evidence.verify(reference, { keys });
  assert.ok(verdict.passed, verdict.table);
  assert.not.ok((await evidence.verify(reference)).passed, "another key verifies it");
  assert.not.match(session.printed(), CANARY);
});

test.run();
