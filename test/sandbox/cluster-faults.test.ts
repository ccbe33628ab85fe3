// What can be broken in a cluster on purpose, and that requests do not notice.
import { suite } from "uvu";
import * as assert from "uvu/assert";

import { startCluster } from "../../ci/sandbox/cluster/cluster.js";
import { Faults, Kubeconfigs } from "../../ci/sandbox/cluster/faults.js";
import { serviceImage } from "../../ci/sandbox/service.js";
import { startTraffic, type Traffic } from "../../ci/sandbox/traffic.js";
import { apply, eventually, FLOWER, HOST, release, rolledOut, route } from "./support/release.js";

const cluster = await startCluster();
const { kubectl } = cluster;
const faults = new Faults(cluster);
const kubeconfigs = new Kubeconfigs(cluster);
let traffic: Traffic;

const test = suite("faults of the sandbox's cluster");
test.before(async () => {
  await apply(cluster, release("stable", (await serviceImage("v1")).reference, { replicas: 2 }));
  await apply(cluster, route({ stable: 1 }));
  await rolledOut(cluster, "stable");
  const request = { url: `${cluster.gateway}/predict`, host: HOST, body: { instances: [FLOWER] } };
  await eventually("the route", async () => {
    const once = startTraffic({ ...request, connections: 1 });
    return (await once.stop()).status["200"];
  });
  traffic = startTraffic({ ...request, pause: 5 });
});
test.after(async () => {
  await traffic.stop();
  await cluster.stop();
});

/** A test during which no request may fail. No hook: uvu ends a suite without a word at one's error. */
function unnoticed(name: string, run: () => Promise<void>): void {
  test(name, async () => {
    traffic.restart();
    await run();
    assert.equal(traffic.counts.failures, [], "a request failed");
  });
}

/** What kubectl says with a kubeconfig; its error when it fails. */
async function as(kubeconfig: string, ...args: string[]): Promise<string> {
  return await kubectl(["--kubeconfig", kubeconfig, ...args]).catch(String);
}

unnoticed("the API server is killed, and comes back with all it knew", async () => {
  await faults.killApiServer();
  const failed = await kubectl(["get", "pods", "--request-timeout=2s"]).catch(String);
  assert.match(failed, /refused/);
  await faults.startApiServer();
  assert.match(await kubectl(["get", "deployment", "stable"]), /stable +2\/2/);
});

unnoticed("the API server hangs for a time", async () => {
  await faults.freezeApiServer(async () => {
    const failed = await kubectl(["get", "pods", "--request-timeout=1s"]).catch(String);
    assert.match(failed, /timeout|deadline|TLS handshake/i);
  });
  assert.match(await kubectl(["get", "deployment", "stable"]), /stable +2\/2/);
});

test("nothing new runs without the kubelet, and does with it", async () => {
  traffic.restart();
  await faults.stopKubelet();
  await kubectl(["scale", "deployment/stable", "--replicas=3"]);
  const ready = ["rollout", "status", "deployment/stable", "--timeout=3s"];
  assert.match(await kubectl(ready).catch(String), /timed out/);
  assert.equal(traffic.counts.failures, [], "a request failed");
  await faults.startKubelet();
  await rolledOut(cluster, "stable");
  await kubectl(["scale", "deployment/stable", "--replicas=2"]);
  // Up to 1.34 a kubelet that comes back calls its pods unready until it has asked them
  // (kubernetes/kubernetes#100277): with one node, those are all.
  const others = traffic.counts.failures.filter((each) => each.message !== "no healthy upstream");
  assert.equal(others, [], "a request failed");
});

unnoticed("an eviction ends a pod, and a budget refuses it", async () => {
  const names = async (): Promise<string[]> => {
    const pods = ["get", "pods", "--selector", "app=stable", "--output"];
    return (await kubectl([...pods, "jsonpath={.items[*].metadata.name}"])).split(" ");
  };
  // One that goes already may always be evicted.
  const [pod = ""] = await eventually("two pods", async () => {
    const found = await names();
    return found.length === 2 ? found : undefined;
  });
  await apply(cluster, {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: { name: "stable" },
    spec: { minAvailable: 2, selector: { matchLabels: { app: "stable" } } },
  });
  await eventually("the budget", async () => {
    const path = "jsonpath={.status.expectedPods}";
    return (await kubectl(["get", "pdb", "stable", "--output", path])) === "2" || undefined;
  });
  assert.match(await faults.evict("default", pod).then(String, String), /disruption budget/);
  await kubectl(["delete", "pdb", "stable"]);
  await faults.evict("default", pod);
  await rolledOut(cluster, "stable");
  await eventually("the pod's end", async () => !(await names()).includes(pod) || undefined);
});

unnoticed("a full quota lets no further pod in, and its end does", async () => {
  const empty = await faults.fillQuota("default");
  await apply(cluster, release("more", (await serviceImage("v1")).reference));
  await eventually("the refusal", async () => {
    const said = await kubectl(["get", "events", "--field-selector", "reason=FailedCreate"]);
    return said.includes("exceeded quota") || undefined;
  });
  await empty();
  await kubectl(["rollout", "restart", "deployment/more"]);
  await rolledOut(cluster, "more");
  await kubectl(["delete", "deployment,service", "more"]);
});

unnoticed("a token is refused after its time, and after its account was taken away", async () => {
  const list = { pods: ["list"] };
  const short = await kubeconfigs.serviceAccount("team", "short", list, { seconds: 8 });
  const revoked = await kubeconfigs.serviceAccount("team", "revoked", list);
  const isRefused = async (config: string): Promise<true | undefined> =>
    /Unauthorized|logged in/.test(await as(config, "get", "pods", "--namespace=team")) || undefined;
  assert.is(await isRefused(short), undefined);
  assert.is(await isRefused(revoked), undefined);
  await kubeconfigs.revoke("team", "revoked");
  await eventually("the token's end", () => isRefused(short));
  await eventually("the account's end", () => isRefused(revoked));
});

unnoticed("a certificate that has ended is refused", async () => {
  const said = await as(await kubeconfigs.expired(), "get", "pods");
  assert.match(said, /Unauthorized|must be logged in|expired/);
});

unnoticed("a service account may do what its role says and nothing else", async () => {
  const config = await kubeconfigs.serviceAccount("team", "reader", {
    "deployments.apps": ["get", "list"],
  });
  assert.match(await as(config, "get", "deployments", "--namespace=team"), /No resources|^$/);
  assert.match(await as(config, "get", "secrets", "--namespace=team"), /Forbidden/);
  assert.match(await as(config, "get", "deployments", "--namespace=default"), /Forbidden/);
  const ask = ["auth", "can-i", "create", "deployments.apps", "--namespace=team"];
  assert.match(await as(config, ...ask), /no/);
});

test.run();
