import { suite } from "uvu";
import * as assert from "uvu/assert";
import { canaryOf, objectsOf, podPortOf } from "../../../../src/core/delivery/objects/index.js";
import { field } from "../../../../src/core/delivery/objects/shape.js";
import type {
  KubernetesObject,
  ObjectInputs,
} from "../../../../src/core/delivery/objects/types.js";
import { raises } from "../../raises.js";
import { inputs } from "./inputs.js";

const test = suite("the project's own manifests");

type Spec = Record<string, unknown>;

const labels = { app: "iris", tier: "web" };
const container = (more: Spec = {}): Spec => ({
  name: "app",
  image: "iris:dev",
  readinessProbe: { httpGet: { path: "/ready", port: 9000 } },
  ...more,
});
const object = (
  kind: string,
  name: string,
  spec: Spec = {},
  more: Spec = {},
): KubernetesObject => ({
  apiVersion: kind === "Deployment" ? "apps/v1" : "v1",
  kind,
  metadata: { name },
  spec,
  ...more,
});
const deployment = (pod: Spec = {}, spec: Spec = {}, name = "iris"): KubernetesObject =>
  object("Deployment", name, {
    replicas: 3,
    selector: { matchLabels: { app: "iris" } },
    ...spec,
    template: { metadata: { labels }, spec: { containers: [container()], ...pod } },
  });
const service = (spec: Spec = {}, name = "iris"): KubernetesObject =>
  object("Service", name, { selector: { app: "iris" }, ports: [{ port: 80 }], ...spec });

const adopted = (
  own: readonly KubernetesObject[],
  deploy: Spec = {},
  more: Partial<ObjectInputs> = {},
): KubernetesObject[] => objectsOf(inputs(deploy, { own, ...more }));
const refusal = (own: readonly KubernetesObject[], deploy: Spec = {}): string =>
  raises("CONFIG", () => adopted(own, deploy));
const one = (objects: readonly KubernetesObject[], kind: string): KubernetesObject => {
  const found = objects.find((each) => each.kind === kind);
  if (!found) throw new Error(`no ${kind}`);
  return found;
};
const pod = (objects: readonly KubernetesObject[], ...path: string[]): unknown =>
  field(one(objects, "Deployment"), "spec", "template", "spec", ...path);

test("puts_the_image_by_digest_labels_and_a_drain_in_and_leaves_the_rest", () => {
  const objects = adopted([deployment({ dnsPolicy: "Default" }), service()], { drain: 7 });
  assert.is(pod(objects, "dnsPolicy"), "Default");
  assert.is(pod(objects, "terminationGracePeriodSeconds"), 37);
  assert.equal(pod(objects, "containers"), [
    {
      ...container(),
      image: inputs().image,
      lifecycle: { preStop: { sleep: { seconds: 7 } } },
    },
  ]);
  const made = one(objects, "Deployment");
  assert.is(made.metadata.namespace, "shop");
  assert.is(field(made, "spec", "replicas"), 3);
  const matched = { app: "iris", "slipway.dev/track": "stable" };
  assert.equal(field(made, "spec", "selector", "matchLabels"), matched);
  assert.equal(field(made, "spec", "template", "metadata", "labels"), {
    ...labels,
    "app.kubernetes.io/name": "iris",
    "app.kubernetes.io/managed-by": "slipway",
    "slipway.dev/track": "stable",
    "slipway.dev/release": "7",
  });
  assert.equal(field(one(objects, "Service"), "spec", "selector"), {
    ...matched,
    "app.kubernetes.io/name": "iris",
  });
});

test("keeps_the_drain_of_the_project", () => {
  const own = { lifecycle: { preStop: { exec: { command: ["/drain"] } } } };
  const objects = adopted([
    deployment({ containers: [container(own)], terminationGracePeriodSeconds: 3 }),
    service(),
  ]);
  assert.equal((pod(objects, "containers") as Spec[])[0]?.lifecycle, own.lifecycle);
  assert.is(pod(objects, "terminationGracePeriodSeconds"), 3);
});

test("gives_a_pod_more_time_than_its_drain_takes", () => {
  const short = [deployment({ terminationGracePeriodSeconds: 5 }), service()];
  assert.is(pod(adopted(short, { drain: 5 }), "terminationGracePeriodSeconds"), 35);
  const long = [deployment({ terminationGracePeriodSeconds: 90 }), service()];
  assert.is(pod(adopted(long, { drain: 5 }), "terminationGracePeriodSeconds"), 90);
});

test("replaces_variables_of_the_same_name_and_adds_secrets_once", () => {
  const own = container({
    env: [
      { name: "MODEL_VERSION", value: "1" },
      { name: "LOG", value: "info" },
    ],
    envFrom: [{ secretRef: { name: "db" } }],
  });
  const objects = adopted(
    [deployment({ containers: [own] }), service()],
    { secrets: ["db", "mail"], pullSecret: "pull" },
    { environment: { MODEL_VERSION: "2" } },
  );
  const [made] = pod(objects, "containers") as Spec[];
  assert.equal(made?.env, [
    { name: "LOG", value: "info" },
    { name: "MODEL_VERSION", value: "2" },
  ]);
  assert.equal(made?.envFrom, [{ secretRef: { name: "db" } }, { secretRef: { name: "mail" } }]);
  assert.equal(pod(objects, "imagePullSecrets"), [{ name: "pull" }]);
});

test("sets_the_image_of_the_container_that_is_named_and_of_no_other", () => {
  const proxy = { name: "proxy", image: "proxy:1" };
  const own = [deployment({ containers: [proxy, container()] }), service()];
  assert.match(refusal(own), /has the containers "proxy", "app"; say which .* deploy\.container/);
  assert.match(refusal(own, { container: "web" }), /no container "web" \(deploy\.container\)/);
  const objects = adopted(own, { container: "app" });
  const images = (all: readonly KubernetesObject[]): unknown[] =>
    (pod(all, "containers") as Spec[]).map(({ image }) => image);
  assert.equal(images(objects), ["proxy:1", inputs().image]);
  const canary = canaryOf(objects, {
    name: "iris",
    release: 7,
    replicas: 1,
    image: "iris@sha256:c",
  });
  assert.equal(images(canary), ["proxy:1", "iris@sha256:c"]);
});

test("gives_the_canary_its_own_copies_of_what_its_pods_read", () => {
  const map = object("ConfigMap", "settings", {}, { data: { a: "1" } });
  const other = object("ConfigMap", "unread", {}, { data: { b: "2" } });
  const reads = {
    containers: [
      container({
        envFrom: [{ configMapRef: { name: "settings" } }],
        env: [{ name: "A", valueFrom: { configMapKeyRef: { name: "settings", key: "a" } } }],
      }),
    ],
    volumes: [
      { name: "x", configMap: { name: "settings" } },
      { name: "y", projected: { sources: [{ configMap: { name: "elsewhere" } }] } },
    ],
  };
  const objects = adopted([map, other, deployment(reads), service()]);
  const canary = canaryOf(objects, { name: "iris", release: 8, replicas: 1, image: "x" });
  assert.equal(
    canary.map(({ kind, metadata }) => `${kind}/${metadata.name}`),
    ["ConfigMap/settings-canary", "Deployment/iris-canary", "Service/iris-canary"],
  );
  assert.is(one(canary, "ConfigMap").metadata.labels?.["slipway.dev/track"], "canary");
  const text = JSON.stringify(one(canary, "Deployment"));
  assert.is(text.match(/"settings-canary"/g)?.length, 3);
  assert.not.match(text, /"settings"/);
  assert.match(text, '"elsewhere"');
});

test("opens_the_canary_to_nobody_outside", () => {
  const open = {
    type: "LoadBalancer",
    clusterIP: "10.0.0.9",
    ports: [{ port: 80, nodePort: 30_080 }],
  };
  const objects = adopted([deployment(), service(open)]);
  const canary = canaryOf(objects, { name: "iris", release: 8, replicas: 1, image: "x" });
  assert.equal(one(canary, "Service").spec, {
    type: "ClusterIP",
    ports: [{ port: 80 }],
    selector: {
      app: "iris",
      "app.kubernetes.io/name": "iris",
      "slipway.dev/track": "canary",
    },
  });
});

test("asks_pods_at_the_port_that_the_service_leads_to", () => {
  const port = (ports: Spec, own: Spec = {}): number | undefined =>
    podPortOf(
      adopted([deployment({ containers: [container(own)] }), service({ ports: [ports] })]),
      "iris",
    );
  assert.is(port({ port: 80 }), 80);
  assert.is(port({ port: 80, targetPort: 9000 }), 9000);
  const ports = [
    { name: "admin", containerPort: 1 },
    { name: "web", containerPort: 8080 },
  ];
  assert.is(port({ port: 80, targetPort: "web" }, { ports }), 8080);
  assert.is(port({ port: 80, targetPort: "none" }, { ports }), undefined);
});

test("leads_the_route_to_the_port_of_the_project's_service", () => {
  const objects = adopted([deployment(), service()], { route: { gateway: "web" } });
  assert.match(JSON.stringify(one(objects, "HTTPRoute").spec), '"port":80,');
});

test("leaves_the_number_of_pods_to_an_autoscaler_behind_a_gateway_alone", () => {
  const target = { kind: "Deployment", name: "iris" };
  const scaler = object("HorizontalPodAutoscaler", "iris", { scaleTargetRef: target });
  const own = [deployment(), service(), scaler];
  assert.match(refusal(own), /an autoscaler changes the number of its pods/);
  const made = one(adopted(own, { route: { gateway: "web" } }), "Deployment");
  assert.not.ok("replicas" in (made.spec as Spec));
});

const bad: Record<string, [own: readonly KubernetesObject[], said: RegExp]> = {
  a_stateful_set: [
    [object("StatefulSet", "iris"), service()],
    /StatefulSet\/iris: a StatefulSet cannot have a canary/,
  ],
  no_deployment: [[service()], /no Deployment among the objects/],
  another_deployment: [
    [deployment({}, {}, "web"), service()],
    /no Deployment "iris" \(deploy\.name\), but "web"; set deploy\.name/,
  ],
  several_deployments_of_other_names: [
    [deployment({}, {}, "web"), deployment({}, {}, "worker"), service()],
    /but "web", "worker"; set deploy\.name/,
  ],
  no_service: [[deployment()], /no Service "iris" among the objects/],
  a_service_that_finds_no_pod: [
    [deployment(), service({ selector: { app: "other" } })],
    /Service\/iris: its selector does not match/,
  ],
  a_service_that_selects_nothing: [
    [deployment(), service({ selector: {} })],
    /its selector does not match/,
  ],
  a_headless_service: [[deployment(), service({ clusterIP: "None" })], /headless/],
  a_service_elsewhere: [[deployment(), service({ type: "ExternalName" })], /ExternalName/],
  a_service_without_ports: [[deployment(), service({ ports: [] })], /Service\/iris: spec\.ports/],
  a_port_of_the_node: [
    [
      deployment({ containers: [container({ ports: [{ containerPort: 1, hostPort: 80 }] })] }),
      service(),
    ],
    /hostPort of container "app"/,
  ],
  the_network_of_the_node: [[deployment({ hostNetwork: true }), service()], /hostNetwork/],
  a_volume_for_one_pod: [
    [
      deployment({ volumes: [{ name: "d", persistentVolumeClaim: { claimName: "data" } }] }),
      service(),
      object("PersistentVolumeClaim", "data", { accessModes: ["ReadWriteOnce"] }),
    ],
    /the volume of "data" is for one node or pod at a time/,
  ],
  no_readiness: [
    [deployment({ containers: [{ name: "app", image: "x" }] }), service()],
    /container "app" has no readinessProbe/,
  ],
  all_pods_taken_away_at_once: [
    [deployment({}, { strategy: { type: "Recreate" } }), service()],
    /Recreate takes all pods away/,
  ],
  pods_of_another_name: [
    [
      object("Deployment", "iris", {
        selector: { matchLabels: labels },
        template: {
          metadata: { labels: { ...labels, "app.kubernetes.io/name": "shop" } },
          spec: { containers: [container()] },
        },
      }),
      service(),
    ],
    /have the label app\.kubernetes\.io\/name: shop/,
  ],
  another_namespace: [
    [deployment(), { ...service(), metadata: { name: "iris", namespace: "prod" } }],
    /Service\/iris: it is of namespace "prod".*"shop" \(deploy\.namespace\)/,
  ],
  objects_of_the_whole_cluster: [
    [deployment(), service(), object("Namespace", "shop")],
    /Namespace\/shop: it belongs to the whole cluster/,
  ],
  a_secret: [
    [deployment(), service(), object("Secret", "db", {}, { stringData: { p: "hunter2" } })],
    /Secret\/db: a secret in a manifest .* deploy\.secrets/,
  ],
  something_twice: [[deployment(), service(), service()], /Service\/iris: it is there twice/],
  "the_canary's_name": [
    [deployment(), service(), service({}, "iris-canary")],
    /Service\/iris-canary: Slipway itself makes one/,
  ],
  a_pod_without_containers: [
    [deployment({ containers: [] }), service()],
    /Deployment\/iris: spec\.template\.spec\.containers/,
  ],
};
for (const [name, [own, said]] of Object.entries(bad))
  test(`refuses_${name}`, () => {
    assert.match(refusal(own), said);
    assert.not.match(refusal(own), "hunter2");
    assert.not.match(refusal(own), 'canary"');
  });

test("refuses_a_route_beside_slipway's", () => {
  const backendRefs = [{ name: "iris", port: 80 }];
  const route = object("HTTPRoute", "web", { rules: [{ backendRefs }] });
  const own = [deployment(), service(), route];
  assert.match(refusal(own, { route: { gateway: "web" } }), /Slipway makes the route/);
  assert.is(adopted(own).length, 3);
});

test("tells_everything_at_once", () => {
  const own = [
    deployment({ hostNetwork: true, containers: [{ name: "app" }] }),
    service({ clusterIP: "None" }),
    object("Namespace", "x"),
  ];
  const said = refusal(own);
  for (const part of [/hostNetwork/, /readinessProbe/, /headless/, /whole cluster/])
    assert.match(said, part);
  assert.match(said, /nothing was changed in the cluster/);
});

test.run();
