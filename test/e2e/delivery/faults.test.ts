// What goes wrong around a deployment on a real cluster: the API server, credentials, quotas, the client itself.
import { setTimeout as sleep } from "node:timers/promises";

import { suite } from "uvu";
import * as assert from "uvu/assert";

import { startCluster } from "../../../ci/sandbox/cluster/cluster.js";
import { Faults, Kubeconfigs } from "../../../ci/sandbox/cluster/faults.js";
import { Delivered, type There } from "../support/delivery.js";
import { scratch } from "../support/project.js";
import { openSession } from "../support/session.js";

const folder = await scratch();
const cluster = await startCluster();
const faults = new Faults(cluster);
const session = await openSession();
await session.serve();
const iris = await Delivered.make(session, cluster, folder.path, "faults");

const test = suite("delivery in trouble");
test.before(async () => {
  await iris.call("deploy", { reference: await iris.image("v1") });
  iris.ask();
});
test.after(async () => {
  await iris.close();
  await session.close();
  await cluster.stop();
  await folder.forget();
});

const isWeighed = ({ weights }: There): boolean => (weights["iris-canary"] ?? 0) > 0;

/** Waits until the service is as wanted. */
async function until(wanted: (there: There) => boolean): Promise<void> {
  while (!wanted(await iris.look())) await sleep(100);
}

test("goes_on_when_the_api_server_was_away_for_fifteen_seconds", async () => {
  const going = iris.call("deploy", { reference: await iris.image("v2") });
  await until(isWeighed);
  await faults.killApiServer();
  await sleep(15_000);
  await faults.startApiServer();
  const { state, release } = await going;
  assert.is(state, "live");
  assert.is((await iris.look()).releases[release], "live");
  await iris.isClean();
  iris.noneFailed("v1", "v2");
});

test("says_that_credentials_ran_out_and_lets_the_next_run_take_back", async () => {
  const { namespace } = iris;
  const all = ["get", "list", "create", "patch", "delete", "watch"];
  const kubeconfigs = new Kubeconfigs(cluster);
  const kubeconfig = await kubeconfigs.serviceAccount(
    namespace,
    "deployer",
    Object.fromEntries(
      [
        ...["deployments.apps", "replicasets.apps", "services", "configmaps", "secrets", "pods"],
        ...["pods/log", "events", "leases.coordination.k8s.io", "pods/portforward"],
        ...["httproutes.gateway.networking.k8s.io", "poddisruptionbudgets.policy"],
        ...["networkpolicies.networking.k8s.io", "endpointslices.discovery.k8s.io"],
      ].map((resource) => [resource, all]),
    ),
  );
  const set = ['deploy.steps=[{"weight":10,"pause":120}]'];
  const going = iris.refused("deploy", { reference: await iris.image("v1") }, { kubeconfig, set });
  await until(isWeighed);
  await kubeconfigs.revoke(namespace, "deployer");
  const { code, text } = await going;
  assert.is(code, 3, text);
  assert.match(text, /does not accept the credentials any more/);
  assert.ok(isWeighed(await iris.look()), "nothing was left to take back");
  const { state } = await iris.call("abort");
  assert.is(state, "aborted");
  await iris.isClean();
  iris.noneFailed("v1", "v2");
});

test("fails_when_a_quota_has_no_room_and_says_so", async () => {
  const emptied = await faults.fillQuota(iris.namespace);
  const { code, text } = await iris.refused("deploy", { reference: await iris.image("v1") });
  await emptied();
  assert.ok(code === 1 || code === 2, text);
  assert.match(text, /exceeded quota|quota/);
  await iris.isClean();
  iris.noneFailed("v1", "v2");
});

test("takes_back_what_a_client_left_that_was_killed_while_it_promoted", async () => {
  const { generation } = await iris.look();
  const reference = await iris.image("v1");
  await iris.killed("deploy", { reference }, (there) => there.generation > generation);
  await iris.call("abort");
  await iris.isClean();
  const { releases } = await iris.look();
  assert.is(Object.values(releases).filter((status) => status === "live").length, 1);
  assert.is(Object.values(releases).filter((status) => status === "pending").length, 0);
  iris.noneFailed("v1", "v2");
});

test.run();
