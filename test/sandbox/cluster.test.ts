// What a cluster does for those who deploy to it: pods, routes, names, measurements, the model
// registry, and the ways to all of them from a container of the embedded engine.
import { readFile } from "node:fs/promises";

import { suite } from "uvu";
import * as assert from "uvu/assert";

import { startCluster } from "../../ci/sandbox/cluster/cluster.js";
import { MODEL } from "../../ci/sandbox/cluster/mlflow.js";
import { findPlace } from "../../ci/sandbox/cluster/place.js";
import { registryAddress, startRegistry } from "../../ci/sandbox/registry.js";
import { run } from "../../ci/sandbox/run.js";
import { serviceImage } from "../../ci/sandbox/service.js";
import { ensureTool } from "../../ci/sandbox/tools.js";
import { failuresOf, startTraffic } from "../../ci/sandbox/traffic.js";
import { openSession } from "../e2e/support/session.js";
import { apply, eventually, FLOWER, HOST, release, rolledOut, route } from "./support/release.js";

const cluster = await startCluster({ prometheus: true, mlflow: true });
const { kubectl } = cluster;
const url = `${cluster.gateway}/predict`;
const request = { url, host: HOST, body: { instances: [FLOWER] } };

const test = suite("the sandbox's cluster");
test.before(async () => {
  const [v1, v2] = await Promise.all([serviceImage("v1"), serviceImage("v2")]);
  await apply(cluster, release("stable", v1.reference, { replicas: 2 }));
  await apply(cluster, release("canary", v2.reference));
  await apply(cluster, route({ stable: 100, canary: 0 }));
  await Promise.all([rolledOut(cluster, "stable"), rolledOut(cluster, "canary")]);
});
test.after(async () => {
  await cluster.stop();
});

async function answerOf(path: string): Promise<unknown> {
  return (await fetch(path)).json();
}

test("runs an image of the loopback registry under its own name, and keeps its log", async () => {
  const { reference } = await serviceImage("v1");
  const path = "jsonpath={.items[0].spec.containers[0].image}";
  const pods = ["get", "pods", "--selector", "app=stable", "--output"];
  assert.is(await kubectl([...pods, path]), reference);
  assert.match(await kubectl(["logs", "deployment/stable"]), /"starting", "release": "v1"/);
});

test("sends each release its weight of the requests", async () => {
  await apply(cluster, route({ stable: 90, canary: 10 }));
  const traffic = startTraffic(request);
  await eventually("the canary answers", () => traffic.counts.releases.v2);
  traffic.restart();
  await eventually("a thousand requests", () => traffic.counts.requests > 1000 || undefined);
  const { requests, releases, failures } = await traffic.stop();
  await apply(cluster, route({ stable: 100, canary: 0 }));
  assert.equal(failures, []);
  const share = (releases.v2 ?? 0) / requests;
  // Five standard deviations of a thousand.
  assert.ok(Math.abs(share - 0.1) < 0.048, `the canary got ${share} of ${requests}`);
});

test("loses no request while a release is rolled and weights change", async () => {
  const traffic = startTraffic({ ...request, connections: 8 });
  const rolled = kubectl(["rollout", "restart", "deployment/stable"]).then(() =>
    rolledOut(cluster, "stable"),
  );
  for (const canary of [10, 50, 100, 25, 0])
    await apply(cluster, route({ stable: 100 - canary, canary }));
  await rolled;
  const counts = await traffic.stop();
  assert.equal(counts.failures, []);
  assert.is(failuresOf(counts), 0);
  assert.ok(counts.requests > 500, `${counts.requests} requests`);
});

test("gives pods names and services, and no names of the outside", async () => {
  const program = `import socket, urllib.request
print(socket.gethostbyname("kubernetes.default.svc.cluster.local"))
print(urllib.request.urlopen("http://canary/version").headers["x-release"])
try: print(socket.gethostbyname("example.org"))
except OSError as error: print(error)`;
  const said = await kubectl(["exec", "deployment/stable", "--", "python3", "-c", program]);
  assert.match(said, /^10\.96\.0\.1\nv2\n.*not known/);
});

test("says of an image that is not there that it was not found", async () => {
  const image = (await serviceImage("v1")).tagged.replace(/:v1$/, ":no-such-tag");
  await apply(cluster, release("absent", image));
  const message = await eventually("the event", async () => {
    const fields = "jsonpath={.items[*].status.containerStatuses[*].state.waiting.message}";
    const said = await kubectl(["get", "pods", "--selector", "app=absent", "--output", fields]);
    return said.includes("no-such-tag") ? said : undefined;
  });
  assert.match(message, /not found/);
  await kubectl(["delete", "deployment,service", "absent"]);
});

test("pulls from a registry of a test's own", async () => {
  const registry = await startRegistry();
  try {
    const { reference } = await serviceImage("v2");
    const copy = `${registry.address}/elsewhere/iris:1`;
    await run(await ensureTool("crane"), ["copy", reference, copy]);
    await apply(cluster, release("elsewhere", copy));
    await rolledOut(cluster, "elsewhere");
    await kubectl(["delete", "deployment,service", "elsewhere"]);
  } finally {
    await registry.stop();
  }
});

test("reaches the host's registries only to pull, and nothing else there", async () => {
  const place = await findPlace(cluster.name);
  const status = async (path: string, method = "GET"): Promise<number> =>
    (await fetch(`http://${place?.registries ?? ""}${path}`, { method })).status;
  const registry = registryAddress();
  assert.is(await status(`/v2/?ns=${registry}`), 200);
  assert.is(await status("/v2/kubectl/tags/list?ns=registry.k8s.io"), 200);
  assert.is(await status(`/v2/kubectl/blobs/uploads/?ns=${registry}`, "POST"), 405);
  assert.is(await status(`/debug?ns=${registry}`), 405);
  assert.is(await status("/v2/?ns=10.0.0.1:5000"), 404);
  assert.is(await status("/v2/?ns=127.0.0.1:1"), 502);
});

test("has measurements of pods and of the gateway in Prometheus", async () => {
  const traffic = startTraffic(request);
  const value = async (query: string): Promise<number | undefined> => {
    const asked = `${cluster.prometheus ?? ""}/api/v1/query?query=${encodeURIComponent(query)}`;
    const { data } = (await answerOf(asked)) as { data: { result: { value: [number, string] }[] } };
    const found = Number(data.result[0]?.value[1] ?? 0);
    return found > 0 ? found : undefined;
  };
  await eventually("requests that pods counted", () =>
    value('sum(rate(http_requests_total{app="stable",route="/predict",status="200"}[5s]))'),
  );
  await eventually("requests that Envoy counted", () =>
    value(
      'sum(envoy_cluster_upstream_rq{envoy_cluster_name="default_stable_80",envoy_response_code="200"})',
    ),
  );
  await traffic.stop();
});

test("has the model's versions by alias in MLflow, and refuses an alias that is not there", async () => {
  const ask = async (alias: string): Promise<Response> =>
    fetch(
      `${cluster.mlflow ?? ""}/api/2.0/mlflow/registered-models/alias?name=${MODEL}&alias=${alias}`,
    );
  const versions = await Promise.all(
    ["production", "challenger"].map(async (alias) => {
      const answer = (await (await ask(alias)).json()) as {
        model_version: { version: string; status: string };
      };
      return `${answer.model_version.version} ${answer.model_version.status}`;
    }),
  );
  assert.equal(versions, ["1 READY", "2 READY"]);
  assert.is((await ask("nobody")).status, 400);
});

test("is reached from a container of the embedded engine", async () => {
  const session = await openSession();
  /** Runs a command in a container and gives all it printed. */
  const inContainer = async (image: string, args: string[]): Promise<string> => {
    const answer = await session.query<{
      container: { from: { end: { stdout: string; stderr: string } } };
    }>(
      `{ container { from(address: "${image}") {
           end: withExec(args: ${JSON.stringify(args)}, expect: ANY) { stdout stderr } } } }`,
    );
    const { stdout, stderr } = answer.container.from.end;
    return stdout + stderr;
  };
  try {
    const program = `import sys, urllib.request
for url in sys.argv[1:]:
    asked = urllib.request.Request(url, headers={"host": "${HOST}"} if "/version" in url else {})
    print(urllib.request.urlopen(asked, timeout=20).status)`;
    const urls = [
      `${cluster.gateway}/version`,
      `${cluster.prometheus ?? ""}/-/ready`,
      `${cluster.mlflow ?? ""}/health`,
    ];
    assert.is(
      await inContainer("docker.io/library/python:3.11-slim", ["python3", "-c", program, ...urls]),
      "200\n200\n200\n",
    );
    const plaintext = JSON.stringify(await readFile(cluster.kubeconfig, "utf8"));
    const { setSecret } = await session.query<{ setSecret: { id: string } }>(
      `{ setSecret(name: "kubeconfig", plaintext: ${plaintext}) { id } }`,
    );
    const answer = await session.query<{
      container: { from: { withMountedSecret: { withExec: { stdout: string } } } };
    }>(
      `{ container { from(address: "registry.k8s.io/kubectl:v1.34.4") {
           withMountedSecret(path: "/kubeconfig", source: ${JSON.stringify(setSecret.id)}) {
             withExec(args: ["/bin/kubectl", "--kubeconfig=/kubeconfig", "get", "nodes", "--output=name"]) {
               stdout } } } } }`,
    );
    assert.is(answer.container.from.withMountedSecret.withExec.stdout, "node/node\n");
  } finally {
    await session.close();
  }
});

test.run();
