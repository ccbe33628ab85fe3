// Signing as a job on GitHub that a reusable workflow runs: fulcio makes certificates of the claims
// that GitHub's tokens have. Whoever calls the workflow gets its identity.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";

import { registryAddress, startRegistry } from "../../ci/sandbox/registry.js";
import { run } from "../../ci/sandbox/run.js";
import { ensureTool } from "../../ci/sandbox/tools.js";
import { Evidence, makeKeys, secret, type Verdict } from "./support/evidence.js";
import { scratch } from "./support/project.js";
import { programImages } from "./support/programs.js";
import { openSession } from "./support/session.js";
import { startSigstore } from "./support/sigstore.js";
import { serviceWith } from "./support/vulnerable.js";

const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const RELEASE = `owner/slipway/.github/workflows/release.yml@${COMMIT}`;
const PASSWORD = "password-of-the-job";

/** What GitHub says of a job in `release.yml` that a workflow of team/greeter calls. */
const CLAIMS = {
  sub: "repo:team/greeter:ref:refs/heads/main",
  repository: "team/greeter",
  repository_id: "1",
  repository_owner: "team",
  repository_owner_id: "2",
  repository_visibility: "public",
  ref: "refs/heads/main",
  sha: "ab".repeat(20),
  event_name: "push",
  workflow: "deliver",
  workflow_ref: "team/greeter/.github/workflows/deliver.yml@refs/heads/main",
  workflow_sha: "ab".repeat(20),
  job_workflow_ref: RELEASE,
  job_workflow_sha: COMMIT,
  run_id: "7",
  run_attempt: "1",
  runner_environment: "github-hosted",
};

await programImages();
const folder = await scratch();
const registry = await startRegistry();
const job = { claims: CLAIMS, password: PASSWORD };
const sigstore = await startSigstore(folder.path, job, "github-workflow");
const session = await openSession();
await session.serve();
const keys = await makeKeys(join(folder.path, "keys"));
const source = await serviceWith("0.16.0", join(folder.path, "source"));
await writeFile(join(source, "signing.json"), sigstore.signingConfig);
await writeFile(join(source, "root.json"), sigstore.trustedRoot);

const test = suite("signing in a reusable workflow");
test.after(async () => {
  await session.close();
  await sigstore.stop();
  await registry.stop();
  await folder.forget();
});

/** The functions, for whoever believes the workflow, called by this repository; any unless told. */
function believing(
  more: readonly string[] = [],
  identity = `https://github.com/${RELEASE}`,
): Evidence {
  const set = [
    ...["sign.signingConfig=signing.json", "verify.trustedRoot=root.json"],
    ...[`verify.issuer=${sigstore.issuer}`, `verify.identity=${identity}`],
    ...["verify.predicates=[]", ...more],
  ];
  return new Evidence(
    session,
    source,
    { registry: registry.address, ports: sigstore.ports, set },
    keys,
  );
}

function broken({ json }: Verdict): string[] {
  const { rules } = JSON.parse(json) as { rules: { rule: string; ok: boolean }[] };
  return rules.filter(({ ok }) => !ok).map(({ rule }) => rule);
}

test("verifies_any_image_by_who_signed_it_such_as_those_of_the_tools", async () => {
  const crane = await ensureTool("crane");
  const name = `${registry.address}/sigstore/cosign/cosign`;
  await run(crane, [
    "copy",
    `${registryAddress()}/sigstore/cosign/cosign:v3.1.3`,
    `${name}:v3.1.3`,
  ]);
  const before = await believing().verifyBy(`${name}:v3.1.3`);
  assert.equal(broken(before), ["signature"], "nobody has signed it yet");
  const digest = (await run(crane, ["digest", `${name}:v3.1.3`])).trim();
  await believing().sign(`${name}@${digest}`, {
    ...{ key: undefined, keyPassword: undefined, requestUrl: sigstore.requestUrl },
    requestToken: await secret(session, PASSWORD),
  });
  const verdict = await believing().verifyBy(`${name}:v3.1.3`);
  assert.equal(broken(verdict), [], verdict.table);
  assert.is(verdict.reference, `${name}@${digest}`);
});

test("believes_the_workflow_only_where_the_right_repository_called_it", async () => {
  const crane = await ensureTool("crane");
  const name = `${registry.address}/team/image`;
  await run(crane, ["copy", `${registryAddress()}/library/busybox:stable`, `${name}:1`]);
  const reference = `${name}@${(await run(crane, ["digest", `${name}:1`])).trim()}`;
  const signed = await believing().sign(reference, {
    ...{ key: undefined, keyPassword: undefined, requestUrl: sigstore.requestUrl },
    requestToken: await secret(session, PASSWORD),
  });
  assert.is(signed, `signed ${reference}`);
  const right = await believing(["verify.repository=team/greeter"]).verifyBy(reference);
  assert.equal(broken(right), [], right.table);
  assert.match(right.markdown, "--certificate-github-workflow-repository team/greeter");
  assert.equal(broken(await believing().verifyBy(reference)), [], "any repository");
  const foreign = believing(["verify.repository=mallory/greeter"]);
  assert.equal(broken(await foreign.verifyBy(reference)), ["signature"]);
  const caller = believing([], `https://github.com/${CLAIMS.workflow_ref}`);
  assert.equal(broken(await caller.verifyBy(reference)), ["signature"], "the caller's own address");
});

test.run();
