// What is told before a deployment, on a real cluster: everything that is wrong at once, and nothing touched.
import { readFile } from "node:fs/promises";

import { suite } from "uvu";
import * as assert from "uvu/assert";

import { startCluster } from "../../ci/sandbox/cluster/cluster.js";
import { Faults, Kubeconfigs } from "../../ci/sandbox/cluster/faults.js";
import { registryAddress } from "../../ci/sandbox/registry.js";
import type { Finding } from "../../src/core/delivery/validation/findings.js";
import { ofForm } from "../forms.js";
import { slipway } from "./support/checks.js";
import { Delivered } from "./support/delivery.js";
import { secret } from "./support/evidence.js";
import { programImages } from "./support/programs.js";
import { scratch } from "./support/project.js";
import { openSession } from "./support/session.js";

await programImages();
const folder = await scratch();
const cluster = await startCluster();
const session = await openSession();
await session.serve();
const iris = await Delivered.make(session, cluster, folder.path, "validated");
const users = new Kubeconfigs(cluster);
const reference = await iris.image("v1");

const test = suite("validate");
test.after(async () => {
  await iris.close();
  await session.close();
  await cluster.stop();
  await folder.forget();
});

interface Options {
  readonly kubeconfig?: string;
  readonly set?: readonly string[];
  readonly image?: string;
}

/** A call of a function about a deployment; `fields` are what is asked of its answer. */
async function ask<T>(
  name: string,
  fields: string,
  { kubeconfig = cluster.kubeconfig, set = [], image = reference }: Options = {},
): Promise<T> {
  const kubeConfig = await secret(session, await readFile(kubeconfig, "utf8"));
  const module = await slipway(session, iris.folder, { registry: registryAddress(), set });
  const given = `reference: ${JSON.stringify(image)}, kubeConfig: ${JSON.stringify(kubeConfig)}`;
  const answer = await session.query<{ slipway: Record<string, T> }>(
    `{ ${module} { ${name}(${given}) ${fields} } }`,
  );
  return answer.slipway[name] as T;
}

async function findings(options: Options = {}): Promise<Finding[]> {
  const { json } = await ask<{ json: string }>("validate", "{ json }", options);
  return (ofForm("validate", json) as { findings: Finding[] }).findings;
}

/** What failed, as `check: found`. */
const bad = (found: readonly Finding[]): string[] =>
  found.filter(({ ok }) => !ok).map((each) => `${each.check}: ${each.found}`);

async function objects(): Promise<string> {
  const kinds = "deployments,services,secrets,leases,httproutes,pods,poddisruptionbudgets";
  return await cluster.kubectl(["get", kinds, `--namespace=${iris.namespace}`, "--output=name"]);
}

test("finds_nothing_wrong_where_nothing_is_and_touches_nothing", async () => {
  const before = await objects();
  const found = await findings();
  assert.equal(bad(found), []);
  const checks = found.map(({ check }) => check);
  for (const check of ["kubeconfig", "cluster", "credentials", "namespace", "rights", "gateway"])
    assert.ok(checks.includes(check), check);
  for (const check of ["image", "objects", "pods", "quota", "releases", "in progress"])
    assert.ok(checks.includes(check), check);
  assert.is(await objects(), before);
});

test("tells_everything_that_is_wrong_at_once", async () => {
  const found = bad(
    await findings({
      image: reference.replace(/.$/, (last) => (last === "0" ? "1" : "0")),
      set: ['deploy.secrets=["nowhere"]', "deploy.route.gateway=projectcontour/none"],
    }),
  );
  for (const said of [/^image: /, /^secrets: there is no nowhere/, /^gateway: there is no Gateway/])
    assert.ok(
      found.some((line) => said.test(line)),
      `${String(said)} in ${found.join("\n")}`,
    );
});

test("fails_without_the_namespace", async () => {
  const found = bad(await findings({ set: ["deploy.namespace=nowhere"] }));
  assert.ok(found.includes("namespace: there is no nowhere"), found.join("\n"));
});

test("names_every_right_that_a_user_lacks", async () => {
  const rights = { "deployments.apps": ["get", "list"], pods: ["get", "list"] };
  const kubeconfig = await users.serviceAccount(iris.namespace, "reader", rights);
  const found = bad(await findings({ kubeconfig }));
  const [lacks = ""] = found.filter((line) => line.startsWith("rights: "));
  assert.match(lacks, /create\/patch\/delete deployments\.apps/);
  assert.match(lacks, /get\/create\/patch leases\.coordination\.k8s\.io/);
  assert.not.match(lacks, "list pods");
});

test("tells_that_credentials_have_run_out_without_asking_the_cluster", async () => {
  const kubeconfig = await users.expired();
  const found = bad(await findings({ kubeconfig }));
  assert.match(found.join("\n"), /kubeconfig: its client certificate expired at/);
});

test("fails_when_the_quota_has_no_room", async () => {
  const empty = await new Faults(cluster).fillQuota(iris.namespace);
  try {
    const found = bad(await findings());
    assert.ok(
      found.some((line) => /^(quota|pods): /.test(line)),
      found.join("\n"),
    );
  } finally {
    await empty();
  }
});

test("tells_what_a_deployment_would_do_and_does_none_of_it", async () => {
  const before = await objects();
  const text = await ask<string>("plan", "");
  assert.match(text, /release 1 of iris in namespace validated/);
  assert.match(text, /no canary: it is the first one/);
  const shown = await ask<string>("diff", "");
  assert.match(shown, /^\+\+\+ release\/apps\.v1\.Deployment\.validated\.iris$/m);
  assert.is(await objects(), before);
});

test("tells_the_shares_and_what_would_change_when_one_is_live", async () => {
  await iris.call("deploy", { reference });
  assert.equal(bad(await findings()), []);
  assert.match(await ask<string>("plan", ""), /^release 1 of iris is this already/);
  assert.is(await ask<string>("diff", ""), "No difference: the cluster has all of it.\n");
  const image = await iris.image("v2");
  const text = await ask<string>("plan", "", { image });
  assert.match(text, /release 2 of iris[\s\S]*live {5}release 1/);
  assert.match(text, /1\. 10 % of the requests to 1 pod of the canary/);
  const changed = await ask<string>("diff", "", { image });
  assert.match(changed, /^-.*image: .*@sha256:/m);
  assert.not.match(changed, "/tmp/");
});

test("names_the_owner_of_a_field_that_somebody_else_set", async () => {
  await cluster.kubectl([
    ...["scale", "deployment/iris", "--replicas=3", `--namespace=${iris.namespace}`],
  ]);
  const found = bad(await findings());
  assert.match(found.join("\n"), /^objects: .*"kubectl" sets \.spec\.replicas/m);
});

test("fails_when_another_deployment_is_in_progress_and_warns_of_one_that_died", async () => {
  const args = ["--namespace", iris.namespace];
  const holder = JSON.stringify({ spec: { holderIdentity: "eve" } });
  const patch = ["patch", "lease/slipway-iris", "--type=merge", ...args];
  await cluster.kubectl([...patch, `--patch=${holder}`]);
  const died = await findings();
  const said = died.find(({ check }) => check === "in progress");
  assert.ok(said?.warning && said.found.includes("eve ended without a word"), JSON.stringify(said));
  let beats = 0;
  const beat = setInterval(() => {
    const renewTime = new Date().toISOString().replace("Z", "000Z");
    void cluster.kubectl([...patch, `--patch=${JSON.stringify({ spec: { renewTime } })}`]);
    beats++;
  }, 2000);
  try {
    const found = bad(await findings());
    assert.ok(
      found.some((line) => line.startsWith("in progress: another deployment of iris: eve")),
      `${found.join("\n")} after ${beats} signs of life`,
    );
  } finally {
    clearInterval(beat);
  }
});

test.run();
