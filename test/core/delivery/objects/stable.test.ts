import { suite } from "uvu";
import * as assert from "uvu/assert";
import { field } from "../../../../src/core/delivery/objects/shape.js";
import {
  canaryOf,
  isRouter,
  objectsOf,
  podPortOf,
  podsOf,
  portOf,
  TRACK,
  withReplicas,
  type KubernetesObject,
} from "../../../../src/core/delivery/objects/index.js";
import { inputs } from "./inputs.js";

const test = suite("Slipway's own objects");

const find = (objects: readonly KubernetesObject[], kind: string): KubernetesObject => {
  const found = objects.find((each) => each.kind === kind);
  if (!found) throw new Error(`no ${kind}`);
  return found;
};
const kinds = (deploy: Record<string, unknown>): string[] =>
  objectsOf(inputs(deploy)).map(({ kind }) => kind);

type Container = Record<string, Record<string, unknown> | undefined> & { image: string };
const containerOf = (object: KubernetesObject): Container => {
  const [container] = field(object, "spec", "template", "spec", "containers") as Container[];
  if (!container) throw new Error("no container");
  return container;
};

test("makes_what_is_configured_and_nothing_else", () => {
  assert.equal(kinds({}), ["Deployment", "Service", "PodDisruptionBudget", "NetworkPolicy"]);
  assert.equal(kinds({ disruptions: false, networkPolicy: false }), ["Deployment", "Service"]);
  assert.ok(kinds({ route: { gateway: "edge/web" } }).includes("HTTPRoute"));
});

test("runs_pods_that_may_do_nothing_but_serve", () => {
  const deployment = find(objectsOf(inputs()), "Deployment");
  const pod = field(deployment, "spec", "template", "spec") as Record<string, unknown>;
  assert.is(pod.automountServiceAccountToken, false);
  assert.equal(pod.securityContext, {
    runAsNonRoot: true,
    runAsUser: 10_001,
    runAsGroup: 10_001,
    fsGroup: 10_001,
    seccompProfile: { type: "RuntimeDefault" },
  });
  assert.equal(containerOf(deployment).securityContext, {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ["ALL"] },
  });
});

test("lets_a_pod_answer_on_while_requests_still_come_and_kills_it_only_later", () => {
  const deployment = find(objectsOf(inputs({ drain: 12 })), "Deployment");
  assert.equal(containerOf(deployment).lifecycle, { preStop: { sleep: { seconds: 12 } } });
  assert.is(field(deployment, "spec", "template", "spec", "terminationGracePeriodSeconds"), 42);
  assert.equal(field(deployment, "spec", "strategy", "rollingUpdate"), {
    maxUnavailable: 0,
    maxSurge: "25%",
  });
});

test("tells_a_prometheus_where_the_metrics_are_only_when_it_is_told", () => {
  const told = (deploy: Record<string, unknown>): unknown =>
    field(
      find(objectsOf(inputs(deploy)), "Deployment"),
      "spec",
      "template",
      "metadata",
      "annotations",
    );
  const scraped = { scrape: "true", port: "8000", path: "/metrics" };
  const found = told({ metrics: "/metrics" }) as Record<string, string>;
  for (const [name, value] of Object.entries(scraped))
    assert.is(found[`prometheus.io/${name}`], value);
  assert.not.match(JSON.stringify(told({})), "prometheus.io");
});

test("has_no_liveness_probe_where_there_is_no_health_check", () => {
  const container = containerOf(find(objectsOf(inputs({}, { healthcheck: false })), "Deployment"));
  assert.is(container.livenessProbe, undefined);
  assert.is(field(container.startupProbe as never, "httpGet", "path"), "/readyz");
  const own = inputs({ liveness: "/alive" }, { healthcheck: false });
  const alive = containerOf(find(objectsOf(own), "Deployment")).livenessProbe;
  assert.is(field(alive as never, "httpGet", "path"), "/alive");
});

test("gives_variables_of_the_model_before_those_of_the_configuration", () => {
  const given = inputs(
    { environment: { MODEL_VERSION: "1", LOG: "info" }, secrets: ["db"], pullSecret: "pull" },
    { environment: { MODEL_VERSION: "2" } },
  );
  const deployment = find(objectsOf(given), "Deployment");
  assert.equal(containerOf(deployment).env, [
    { name: "MODEL_VERSION", value: "2" },
    { name: "LOG", value: "info" },
  ]);
  assert.equal(containerOf(deployment).envFrom, [{ secretRef: { name: "db" } }]);
  assert.equal(field(deployment, "spec", "template", "spec", "imagePullSecrets"), [
    { name: "pull" },
  ]);
});

test("selects_by_labels_that_no_release_changes", () => {
  const selectors = (release: number): unknown =>
    objectsOf(inputs({}, { release })).map((object) => [
      field(object, "spec", "selector"),
      field(object, "spec", "podSelector"),
    ]);
  assert.equal(selectors(1), selectors(2));
});

test("makes_a_canary_that_no_selector_of_stable_finds", () => {
  const objects = objectsOf(inputs());
  const image = "registry.example/team/iris@sha256:bb";
  const made = canaryOf(objects, { name: "iris", release: 8, replicas: 3, image });
  assert.equal(
    made.map(({ kind, metadata }) => `${kind}/${metadata.name}`),
    ["Deployment/iris-canary", "Service/iris-canary"],
  );
  const deployment = find(made, "Deployment");
  assert.is(field(deployment, "spec", "replicas"), 3);
  assert.is(containerOf(deployment).image, image);
  const labels = field(deployment, "spec", "template", "metadata", "labels") as Record<
    string,
    string
  >;
  assert.is(labels["slipway.dev/release"], "8");
  const selectors = [
    field(find(objects, "Deployment"), "spec", "selector", "matchLabels"),
    field(find(objects, "Service"), "spec", "selector"),
    field(find(objects, "PodDisruptionBudget"), "spec", "selector", "matchLabels"),
  ] as Record<string, string>[];
  for (const selector of selectors)
    assert.ok(Object.entries(selector).some(([key, value]) => labels[key] !== value));
  assert.is(labels[TRACK], "canary");
  assert.equal(field(deployment, "spec", "selector", "matchLabels"), {
    "app.kubernetes.io/name": "iris",
    [TRACK]: "canary",
  });
  assert.is(field(find(made, "Service"), "spec", "selector", TRACK), "canary");
});

test("leaves_the_objects_of_stable_as_they_were_when_it_makes_a_canary", () => {
  const objects = objectsOf(inputs());
  const before = structuredClone(objects);
  canaryOf(objects, { name: "iris", release: 8, replicas: 3, image: "x" });
  withReplicas(find(objects, "Deployment"), 9);
  assert.equal(objects, before);
});

test("keeps_the_port_of_the_service_when_its_pods_listen_elsewhere", () => {
  const objects = objectsOf(
    inputs({ route: { gateway: "web" } }, { port: 8080, servicePort: 8000 }),
  );
  assert.is(portOf(objects, "iris"), 8000);
  assert.is(podPortOf(objects, "iris"), 8080);
  assert.match(JSON.stringify(find(objects, "HTTPRoute").spec), '"port":8000,');
  assert.match(JSON.stringify(find(objects, "NetworkPolicy").spec), '"port":8080,');
});

test("tells_port_and_pods_of_a_release_and_what_shares_its_requests", () => {
  const objects = objectsOf(inputs({ replicas: 5, route: { gateway: "web" } }));
  assert.is(portOf(objects, "iris"), 8000);
  assert.is(podsOf(objects, "iris"), 5);
  assert.is(portOf(objects, "other"), undefined);
  const routers = (router: "gateway" | "replicas"): string[] =>
    objects.filter((each) => isRouter(each, "iris", router)).map(({ kind }) => kind);
  assert.equal(routers("gateway"), ["HTTPRoute"]);
  assert.equal(routers("replicas"), ["Service"]);
});

test.run();
