// Signing without a key: the real cosign and fulcio, a real timestamp
// authority, tokens of an issuer on loopback. There is no transparency log here.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";

import { makeDatabase } from "../../ci/sandbox/database.js";
import { registryAddress, startRegistry } from "../../ci/sandbox/registry.js";
import { run } from "../../ci/sandbox/run.js";
import { ensureTool } from "../../ci/sandbox/tools.js";
import { Evidence, makeKeys, refusal, secret, type Verdict } from "./support/evidence.js";
import { watch } from "./support/processes.js";
import { scratch } from "./support/project.js";
import { programImages } from "./support/programs.js";
import { openSession } from "./support/session.js";
import { startSigstore } from "./support/sigstore.js";
import { serviceWith } from "./support/vulnerable.js";

const JOB = { sub: "job", email: "ci@example.com", email_verified: true };
const PERSON = { sub: "ann", email: "ann@example.com", email_verified: true };
/** Nothing else holds it. */
const CANARY = { request: "canary-of-the-request-91c2" };

await programImages();
const folder = await scratch();
const registry = await startRegistry();
const sigstore = await startSigstore(folder.path, { claims: JOB, password: CANARY.request });
const session = await openSession();
await session.serve();
const keys = await makeKeys(join(folder.path, "keys"));
const database = join(folder.path, "database");
await makeDatabase(database);
const source = await serviceWith("0.16.0", join(folder.path, "source"));
await writeFile(join(source, "signing.json"), sigstore.signingConfig);
await writeFile(join(source, "root.json"), sigstore.trustedRoot);

const SERVICES = ["sign.signingConfig=signing.json", "verify.trustedRoot=root.json"];
const POLICY = [`verify.issuer=${sigstore.issuer}`, "verify.predicates=model"];
const { ports } = sigstore;
const repository = `${registry.address}/team/image`;

/** The functions, for whoever believes this identity. */
function believing(identity: string, more: readonly string[] = []): Evidence {
  const set = [...SERVICES, ...POLICY, `verify.identity=${identity}`, ...more];
  return new Evidence(session, source, { registry: registry.address, ports, database, set }, keys);
}

const test = suite("signing without a key");
test.after(async () => {
  await session.close();
  await sigstore.stop();
  await registry.stop();
  await folder.forget();
});

let images = 0;

/** Pushes an image that no other is equal to; gives its reference. */
async function push(): Promise<string> {
  const crane = await ensureTool("crane");
  const tag = `${repository}:t${++images}`;
  const base = `${registryAddress()}/library/busybox:stable`;
  const label = `number=${images}`;
  const made = await run(crane, [
    ...["mutate", "--platform=linux/amd64", base, "--label", label, "--tag", tag],
  ]);
  return made.trim();
}

type Given = Readonly<Record<string, unknown>>;
const WITHOUT: Given = { key: undefined, keyPassword: undefined };
const token = async (claims = PERSON): Promise<Given> => ({
  ...WITHOUT,
  identityToken: await secret(session, sigstore.token(claims)),
});
const job = async (): Promise<Given> => ({
  ...WITHOUT,
  requestUrl: sigstore.requestUrl,
  requestToken: await secret(session, CANARY.request),
});

function broken({ json }: Verdict): string[] {
  const { rules } = JSON.parse(json) as { rules: { rule: string; ok: boolean }[] };
  return rules.filter(({ ok }) => !ok).map(({ rule }) => rule);
}

const model = join(folder.path, "model.json");
await writeFile(model, JSON.stringify({ name: "iris-random-forest", stage: "production" }));

test("signs_and_attests_as_who_one_is_and_believes_that_identity_alone", async () => {
  const reference = await push();
  const ann = believing("ann@example.com");
  assert.equal(broken(await ann.verifyBy(reference)), ["signature"]);
  assert.is(await ann.sign(reference, await token()), `signed ${reference}`);
  assert.match(await ann.sign(reference, await token()), /was signed by this identity already/);
  const attested = await ann.attest(reference, "model", model, await token());
  assert.is(attested, `attested model of ${reference}`);
  const verdict = await ann.verifyBy(reference);
  assert.equal(broken(verdict), [], verdict.table);
  const expression = await believing("/.+@example\\.com/").verifyBy(reference);
  assert.equal(broken(expression), [], expression.table);
  for (const other of ["bob@example.com", "/ann/", "/nn@example.com|bob/"])
    assert.equal(broken(await believing(other).verifyBy(reference)), ["signature"], other);
  const elsewhere = believing("ann@example.com", ["verify.issuer=https://issuer.example"]);
  assert.equal(broken(await elsewhere.verifyBy(reference)), ["signature"]);
  const byKey = await ann.verify(reference);
  assert.equal(broken(byKey), ["signature"], "a key verifies what it never signed");
});

test("is_verified_by_cosign_alone_with_the_lines_that_it_shows", async () => {
  const reference = await push();
  const ann = believing("/ann@example\\.com|nobody/");
  await ann.sign(reference, await token());
  await ann.attest(reference, "model", model, await token());
  const { markdown } = await ann.verifyBy(reference);
  const lines = markdown.split("\n").filter((line) => line.startsWith("cosign "));
  assert.is(lines.length, 2);
  const program = await ensureTool("cosign");
  for (const line of lines)
    await run("sh", ["-c", line.replace("cosign", '"$0"'), program], { cwd: source });
});

test("asks_github_for_a_token_each_time_it_signs_and_shows_the_jobs_token_to_cosign_alone", async () => {
  const reference = await push();
  const before = sigstore.asked.length;
  const ci = believing("ci@example.com");
  const watched = watch([CANARY.request], "cosign");
  assert.is(await ci.sign(reference, await job()), `signed ${reference}`);
  await ci.attest(reference, "model", model, await job());
  assert.equal(watched.stop(), []);
  const asked = sigstore.asked.slice(before);
  assert.is(asked.length, 2);
  for (const { audience, authorization } of asked)
    assert.equal([audience, authorization], ["sigstore", `bearer ${CANARY.request}`]);
  assert.equal(broken(await ci.verifyBy(reference)), []);
  assert.not.match(session.printed(), CANARY.request);
});

test("releases_without_a_key", async () => {
  const name = `${registry.address}/team/greeter`;
  const ci = believing("ci@example.com", ["verify.predicates=provenance,tests,model"]);
  const released = await ci.release({ repository: name, ...(await job()) });
  assert.match(released.table, /VERIFIED\n$/);
  assert.match(released.markdown, "--certificate-identity ci@example.com");
  assert.equal(broken(await ci.verifyBy(`${name}:1.4.2`)), []);
});

test("says_who_cannot_sign_before_anything_runs", async () => {
  const reference = await push();
  const ann = believing("ann@example.com");
  const old = { ...PERSON, exp: Math.floor(Date.now() / 1000) - 60 };
  for (const [given, expected] of [
    [WITHOUT, /--key \(COSIGN_PRIVATE_KEY\).*--identity-token/],
    [await token(old), /SIGSTORE_ID_TOKEN\) cannot be used: it expired at/],
    [{ ...(await job()), requestUrl: undefined }, /both --request-url and --request-token/],
    [{ ...(await token()), keyReference: "k8s://a/b" }, /more than one is given/],
  ] as const) {
    session.ran();
    assert.match(await refusal(ann.sign(reference, given)), expected);
    assert.equal(
      session.ran().filter((name) => name.startsWith("exec")),
      [],
    );
  }
  const nobody = new Evidence(session, source, { registry: registry.address }, keys);
  assert.match(await refusal(nobody.sign(reference, await token())), /set verify\.identity/);
  const half = believing("ann@example.com", ["sign.signingConfig="]);
  assert.match(await refusal(half.sign(reference, await token())), /sign\.signingConfig/);
});

test("does_not_sign_when_nobody_vouches_for_the_token", async () => {
  const reference = await push();
  const ann = believing("ann@example.com");
  const forged = sigstore.token(PERSON).replace(/\.[^.]{8}/, ".AAAAAAAA");
  const given = {
    ...WITHOUT,
    identityToken: await secret(session, sigstore.token({ ...PERSON, aud: "other" })),
  };
  assert.match(await refusal(ann.sign(reference, given)), /was not signed: /);
  const said = await refusal(
    ann.sign(reference, { ...WITHOUT, identityToken: await secret(session, forged) }),
  );
  assert.match(said, /was not signed|no OIDC token/);
  assert.not.match(said, forged.slice(0, 60));
  assert.equal(broken(await ann.verifyBy(reference)), ["signature"]);
});

test.run();
