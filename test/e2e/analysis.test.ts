// Analyses and smoke tests on a real cluster, by real k6 through real port-forwards.
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { connection, dag } from "@dagger.io/dagger";
import { suite } from "uvu";
import * as assert from "uvu/assert";

import { startCluster } from "../../ci/sandbox/cluster/cluster.js";
import { Faults } from "../../ci/sandbox/cluster/faults.js";
import { ensureImages } from "../../ci/sandbox/images/ensure.js";
import { IMAGES } from "../../ci/sandbox/images/table.js";
import { registryAddress } from "../../ci/sandbox/registry.js";
import { serviceImage, type Variant } from "../../ci/sandbox/service.js";
import type { Analysis, Measure } from "../../src/core/analysis/types.js";
import { loadContext, type Context } from "../../src/stages/context.js";
import { analyse, type AnalysisOptions } from "../../src/stages/delivery/analysis.js";
import type { AnalysisTarget } from "../../src/stages/delivery/pods.js";
import { smoke, smokeProblems } from "../../src/stages/delivery/smoke.js";
import type { Cluster as Access } from "../../src/stages/kubectl.js";
import { release, rolledOut } from "../sandbox/support/release.js";
import { recordedFlowers } from "./support/flowers.js";
import { scratch, write } from "./support/project.js";
import { openSession } from "./support/session.js";

const NEEDED = ["k6", "kubectl", "pause", "python", "uv"];
await ensureImages(
  IMAGES.filter(({ name }) => NEEDED.some((one) => name.endsWith(one))),
  { address: registryAddress(), say: () => undefined },
);
const cluster = await startCluster({ prometheus: true });
const session = await openSession();
Object.assign(process.env, session.env);
const folder = await scratch();
await write(folder.path, {
  "pyproject.toml":
    '[project]\nname = "iris"\nversion = "1.0.0"\nrequires-python = ">=3.11,<3.12"\n',
  "src/iris/__init__.py": "",
  "requests.jsonl": recordedFlowers(60),
  "tests/test_target.py": `import glob
import os
import urllib.request

import pytest


@pytest.mark.smoke
def test_canary_answers():
    target = os.environ["SLIPWAY_TARGET"]
    with urllib.request.urlopen(f"{target}/version", timeout=10) as answer:
        assert answer.headers["x-release"] == os.environ.get("WANTED", "v2")


@pytest.mark.smoke
def test_no_credentials_are_here():
    assert "KUBECONFIG" not in os.environ
    assert glob.glob("/run/kube/*") == []


def test_that_is_no_smoke_test():
    raise AssertionError("the marker leaves this out")
`,
  "pytest.ini": "[pytest]\nmarkers = smoke: against a running service\n",
});

/** Brings a variant into the cluster as the track of a service, with the labels that Slipway gives. */
async function deployed(
  track: "stable" | "canary",
  variant: Variant,
  isReady = true,
): Promise<void> {
  const { reference } = await serviceImage(variant);
  const labels = { "app.kubernetes.io/name": "iris", "slipway.dev/track": track };
  const text = JSON.stringify(release(track, reference));
  const { items } = JSON.parse(text) as { items: [{ spec: { template: Labelled } }, object] };
  Object.assign(items[0].spec.template.metadata.labels, labels);
  await cluster.kubectl(["apply", "-f", "-"], { apiVersion: "v1", kind: "List", items });
  if (!isReady) return;
  await rolledOut(cluster, track);
  // Only when no pod of the variant before is left, it is this one that is seen.
  await cluster.kubectl([
    ...["wait", "--for=jsonpath={.status.replicas}=1", "--timeout=60s"],
    `deployment/${track}`,
  ]);
  const pods = ["get", "pods", "--selector", `slipway.dev/track=${track}`, "--output", "name"];
  while ((await cluster.kubectl(pods)).trim().split("\n").length > 1) await sleep(200);
}

interface Labelled {
  readonly metadata: { readonly labels: Record<string, string> };
}

const TARGET: AnalysisTarget = {
  ...{ name: "iris", canary: "iris-canary", stable: "iris", port: 8000, release: 2, weight: 10 },
};

/** Runs a stage as the module does: with a session, on the project with these settings. */
async function staged<T>(
  set: readonly string[],
  stage: (context: Context, access: Access) => Promise<T>,
): Promise<T> {
  let result: T | undefined;
  await connection(async () => {
    const source = dag.host().directory(folder.path);
    const context = await loadContext({ source, folder: ".", set, environment: [] });
    const kubeconfig = dag.setSecret("kubeconfig", await readFile(cluster.kubeconfig, "utf8"));
    result = await stage(context, { kubeconfig, namespace: "default", starts: 0 });
  });
  return result as T;
}

const QUICK = [
  "analysis.requests=requests.jsonl",
  "analysis.duration=10",
  "analysis.rate=40",
  "deploy.readiness=/readyz",
  // The machine has two cores, and others work on it.
  "analysis.latency.floor=100",
  "analysis.timeout=10",
];

async function analysed(
  set: readonly string[] = [],
  options: AnalysisOptions = {},
  target = TARGET,
): Promise<Analysis> {
  return await staged([...QUICK, ...set], (context, access) =>
    analyse(context, access, target, options),
  );
}

function measure({ measures, why }: Analysis, metric: string): Measure {
  const found = measures.find((one) => one.metric === metric);
  if (!found) throw new Error(`no ${metric}: ${why}`);
  return found;
}

const test = suite("analysis on a cluster");
test.before(async () => {
  await deployed("stable", "v1");
});
test.after(async () => {
  await session.close();
  await cluster.stop();
  await folder.forget();
});

test("passes_a_good_canary_by_every_measure", async () => {
  await deployed("canary", "v2");
  const found = await analysed();
  assert.is(found.outcome, "passed", JSON.stringify(found, undefined, 1));
  assert.ok(found.requests.canary >= 360 && found.requests.stable >= 360, found.why);
  assert.is(measure(found, "predictions").canary, 100);
  console.log(
    JSON.stringify(found.measures.map(({ metric, canary, stable }) => [metric, canary, stable])),
  );
});

test("asks_prometheus_for_canary_and_stable_while_requests_are_made", async () => {
  const errors = `100 * sum(rate(http_requests_total{app="{{track}}",status="500"}[10s])) / sum(rate(http_requests_total{app="{{track}}"}[10s]))`;
  const requests = 'sum(rate(http_requests_total{app="{{track}}",route="/predict"}[10s]))';
  const queries = [
    { name: "requests", query: requests, minimum: 5, unit: "/s" },
    { name: "requests against stable", query: requests, margin: 60, better: "higher" },
    { name: "nothing", query: 'absent_metric{app="{{track}}"}', maximum: 1 },
    { name: "errors", query: errors, maximum: 1 },
    { name: "broken", query: "sum(", maximum: 1 },
  ];
  const found = await analysed([
    `analysis.prometheus=${cluster.prometheus ?? ""}`,
    `analysis.queries=${JSON.stringify(queries)}`,
  ]);
  assert.equal(
    queries.map(({ name }) => measure(found, name).outcome),
    // A share of errors without any error series is no number: it does not pass.
    ["passed", "passed", "inconclusive", "inconclusive", "errored"],
    JSON.stringify(found.measures, undefined, 1),
  );
  assert.is(found.outcome, "errored");
});

test("runs_the_load_test_at_the_first_weight_alone", async () => {
  const load = ["analysis.load.rate=60", "analysis.load.duration=5", "analysis.load.p95=5000"];
  const first = await analysed(load, { seconds: 5 });
  assert.is(measure(first, "load success").outcome, "passed", first.why);
  assert.is(measure(first, "load latency p95").outcome, "passed", first.why);
  const later = await analysed(load, { seconds: 5 }, { ...TARGET, weight: 50 });
  assert.not.ok(later.measures.some(({ metric }) => metric.startsWith("load")));
});

test("smoke_tests_a_good_canary_also_by_the_projects_own_tests_without_credentials", async () => {
  const requests = [
    { path: "/version", contains: "iris" },
    { path: "/nowhere", status: 404 },
  ];
  const found = await staged(
    [`deploy.smoke.requests=${JSON.stringify(requests)}`, "deploy.smoke.markers=smoke"],
    (context, access) => smoke(context, access, TARGET),
  );
  assert.ok(found.ok, found.why);
  assert.equal(
    found.results.map(({ request, status }) => `${request} ${status}`),
    ["GET /version 200", "GET /nowhere 404", 'pytest -m "smoke" 0'],
  );
  assert.match(found.why, "2 of the project's tests passed");
});

test("fails_smoke_tests_by_a_wrong_answer_or_a_failing_test_of_the_project", async () => {
  const wrong = await staged(
    [
      `deploy.smoke.requests=${JSON.stringify([{ path: "/version", contains: "tulip" }])}`,
      "deploy.smoke.retries=1",
    ],
    (context, access) => smoke(context, access, TARGET),
  );
  assert.not.ok(wrong.ok);
  assert.match(
    wrong.why,
    /GET \/version of canary-\S+: the answer does not hold 'tulip'.*\(2 tries\)/,
  );
  const none = await staged(["deploy.smoke.markers=nothing"], (context, access) =>
    smoke(context, access, TARGET),
  );
  assert.not.ok(none.ok, "no test with the marker is no success");
});

test("finds_markers_by_which_no_test_can_be_run_without_a_canary", async () => {
  const problems = (markers: string): Promise<string[]> =>
    staged([`deploy.smoke.markers=${markers}`], async (context) =>
      (await smokeProblems(context)).map(({ message }) => message),
    );
  assert.equal(await problems("smoke"), []);
  assert.equal(await problems("nothing"), ["none of the project's tests is marked so"]);
  assert.match((await problems("smoke and")).join(), /pytest cannot look for them: .*-m/s);
});

for (const [variant, metric] of [
  ["errors-50", "success"],
  ["errors-5", "success against stable"],
  ["slow", "latency against stable"],
  ["predicts-differently", "predictions"],
] as const) {
  test(`fails_a_canary_of_the_kind_${variant}_by_${metric.replaceAll(" ", "_")}`, async () => {
    await deployed("canary", variant);
    const began = Date.now();
    const found = await analysed();
    console.log(`${variant}: ${Date.now() - began} ms, ${found.why}`);
    assert.is(found.outcome, "failed", found.why);
    assert.is(measure(found, metric).outcome, "failed", JSON.stringify(found.measures));
    if (variant === "predicts-differently")
      assert.is(measure(found, "success").outcome, "passed", "it answers well");
  });
}

test("fails_a_canary_that_is_never_ready_and_says_which_pod", async () => {
  await cluster.kubectl(["delete", "deployment", "canary", "--wait"]);
  await deployed("canary", "never-ready", false);
  const found = await analysed();
  assert.is(found.outcome, "failed", found.why);
  assert.match(found.why, /readiness: .*canary-\S+ is not ready/);
  const smoked = await staged([], (context, access) => smoke(context, access, TARGET));
  assert.not.ok(smoked.ok);
  assert.match(smoked.why, "no pod of the canary is ready");
});

test("fails_a_canary_that_restarts_under_the_requests", async () => {
  await cluster.kubectl(["delete", "deployment", "canary", "--wait"]);
  await deployed("canary", "exits-later");
  const found = await analysed(["analysis.duration=20"]);
  assert.is(found.outcome, "failed", JSON.stringify(found.measures));
});

test("says_nothing_of_a_canary_when_the_api_server_goes_away", async () => {
  await deployed("canary", "v2");
  const faults = new Faults(cluster);
  const running = analysed(["analysis.duration=20"]);
  await sleep(12_000);
  await faults.killApiServer();
  const found = await running;
  await faults.startApiServer();
  assert.is(found.outcome, "errored", JSON.stringify(found, undefined, 1));
  const away = await analysed(["analysis.requests=missing.jsonl"]).then(
    () => "passed",
    (error: unknown) => (error as Error).message,
  );
  assert.match(away, "The project has no file missing.jsonl");
});

test.run();
