import { suite } from "uvu";
import * as assert from "uvu/assert";

import {
  canaryOf,
  labelsOf,
  objectsOf,
  routeOf,
} from "../../../src/core/delivery/objects/index.js";
import { sharing } from "../../../src/core/delivery/changes.js";
import { observe, readObjects } from "../../../src/core/delivery/observe.js";
import { HOPELESS_PATTERN } from "../../../src/core/delivery/pods.js";
import { SETTLED, UNSETTLED } from "../../../src/core/delivery/queries.js";
import { deploy } from "../../../src/core/config/deploy.js";
import { imageOf, releaseOf } from "./releases.js";

const test = suite("observation");

const INPUTS = {
  ...{ name: "iris", namespace: "default", image: imageOf("a"), release: 7, port: 8000 },
  ...{ healthcheck: "/healthz", user: 10_001, annotations: {}, environment: {} },
} as const;
const GATEWAY = deploy.parse({ route: { gateway: "web", header: "X-Canary=yes" } });
const PODS = deploy.parse({ replicas: 4 });

type Seen = Record<string, unknown>;

/** Objects as the API server has them, the Deployments with this status. */
function cluster(config: typeof PODS, status: object, generation = 1): Seen[] {
  const objects = objectsOf({ ...INPUTS, config });
  const canary = canaryOf(objects, { name: "iris", release: 8, replicas: 2, image: imageOf("b") });
  return [...objects, ...canary].map((object) =>
    object.kind === "Deployment"
      ? { ...object, metadata: { ...object.metadata, generation }, status }
      : object,
  );
}

const done = (replicas: number): object => ({
  ...{ observedGeneration: 1, replicas, updatedReplicas: replicas },
  ...{ readyReplicas: replicas, availableReplicas: replicas },
});

const without = (objects: Seen[], kind: string): Seen[] =>
  objects.filter((object) => object.kind !== kind);

test("sees_both_deployments_and_what_they_run", () => {
  const { stable, canary, leftovers } = observe("iris", cluster(GATEWAY, done(2)));
  assert.is(stable?.release, 7);
  assert.is(canary?.release, 8);
  assert.is(canary?.image, imageOf("b"));
  assert.ok(stable?.complete);
  assert.ok(canary?.complete);
  assert.ok(leftovers);
  assert.is(observe("iris", []).stable, undefined);
});

test("sees_the_image_of_the_service's_own_container_wherever_it_stands", () => {
  const proxy = { name: "proxy", image: "proxy:1" };
  const web = { name: "web", image: imageOf("c") };
  const seen = (containers: object[], annotations?: object): string | undefined =>
    observe("iris", [
      {
        ...{ kind: "Deployment", metadata: { name: "iris-canary" } },
        spec: { template: { metadata: { annotations }, spec: { containers } } },
      },
    ]).canary?.image;
  const said = { "kubectl.kubernetes.io/default-container": "web" };
  assert.is(seen([proxy, web], said), imageOf("c"));
  assert.is(seen([web, proxy], said), imageOf("c"));
  assert.is(seen([web, proxy]), imageOf("c"));
  assert.is(seen([proxy], said), "", "another container's image is not the service's");
});

for (const [why, status, generation] of [
  ["its_controller_has_not_seen_the_change", done(2), 2],
  ["an_old_pod_is_left", { ...done(2), replicas: 3 }, 1],
  ["a_pod_is_still_of_the_old_release", { ...done(2), updatedReplicas: 1 }, 1],
  ["a_pod_is_not_ready_for_long_enough", { ...done(2), availableReplicas: 1 }, 1],
  ["nothing_is_known_yet", {}, 1],
] as const)
  test(`is_not_complete_while_${why}`, () => {
    assert.is(observe("iris", cluster(GATEWAY, status, generation)).canary?.complete, false);
  });

test("reads_the_weight_and_the_header_off_the_route", () => {
  const objects = without(cluster(GATEWAY, done(2)), "HTTPRoute");
  for (const weight of [0, 10, 33.3, 100])
    for (const header of [true, false]) {
      const route = routeOf({
        ...{ name: "iris", namespace: "default", config: GATEWAY, port: 8000 },
        ...{ weight, hasCanary: true, header },
      });
      const seen = observe("iris", [...objects, route]);
      assert.is(seen.weight, weight);
      assert.is(seen.exposed, header);
    }
});

test("knows_when_a_gateway_has_taken_over_the_route_as_it_is", () => {
  const route = routeOf({
    ...{ name: "iris", namespace: "default", config: GATEWAY, port: 8000 },
    ...{ weight: 10, hasCanary: true },
  });
  assert.ok(route);
  const routed = (conditions: object[]): boolean =>
    observe("iris", [
      {
        ...route,
        metadata: { ...route.metadata, generation: 4 },
        status: { parents: [{ conditions }] },
      },
    ]).routed;
  const says = (type: string, status: string, observedGeneration: number) => ({
    ...{ type, status, observedGeneration },
  });
  assert.ok(routed([says("Accepted", "True", 4), says("ResolvedRefs", "True", 4)]));
  assert.not(routed([says("Accepted", "True", 4), says("ResolvedRefs", "True", 3)]));
  assert.not(routed([says("Accepted", "True", 4), says("ResolvedRefs", "False", 4)]));
  assert.not(routed([says("Accepted", "True", 4)]));
  assert.not(routed([]));
  assert.ok(observe("iris", []).routed, "where there is no route, nobody is behind");
});

test("reads_the_weight_off_the_service_where_no_gateway_weighs", () => {
  const release = releaseOf(7, {
    config: PODS,
    objects: objectsOf({ ...INPUTS, config: PODS }),
  });
  const objects = without(cluster(PODS, done(4)), "Service");
  for (const weight of [0, 20, 100]) {
    const shares = { weight, exposed: false, leftovers: true };
    assert.is(observe("iris", [...objects, ...sharing(release, undefined, shares)]).weight, weight);
  }
});

/** A project's own manifests, which select by a label of their own. */
const OWN = [
  {
    ...{ apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "iris" } },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: "iris" } },
      template: {
        metadata: { labels: { app: "iris" } },
        spec: { containers: [{ name: "web", image: "iris:dev", readinessProbe: {} }] },
      },
    },
  },
  {
    ...{ apiVersion: "v1", kind: "Service", metadata: { name: "iris" } },
    spec: { selector: { app: "iris" }, ports: [{ port: 80, targetPort: 8000 }] },
  },
];

test("reads_the_weight_off_a_service_of_the_project_that_selects_by_its_own_labels", () => {
  const release = releaseOf(7, {
    config: PODS,
    objects: objectsOf({ ...INPUTS, config: PODS, own: OWN }),
  });
  for (const weight of [0, 1, 20, 33.3, 50, 99, 100]) {
    const shares = { weight, exposed: false, leftovers: true };
    assert.is(observe("iris", sharing(release, undefined, shares)).weight, weight);
  }
});

test("reads_the_weight_off_a_service_that_an_earlier_slipway_shared", () => {
  const shared = (selector: object, annotations: object): number =>
    observe("iris", [
      { kind: "Service", metadata: { name: "iris", annotations }, spec: { selector } },
    ]).weight;
  assert.is(shared({ app: "iris" }, { "slipway.dev/weight": "33" }), 33);
  assert.is(
    shared({ app: "iris", "slipway.dev/track": "stable" }, { "slipway.dev/weight": "0" }),
    0,
  );
  assert.is(shared({ app: "iris" }, {}), 0, "nobody shares what Slipway did not make");
});

test("trusts_no_route_to_a_service_that_selects_the_canary", () => {
  const objects = cluster(GATEWAY, done(2)).map((object) =>
    object.kind === "Service" && (object.metadata as { name: string }).name === "iris"
      ? { ...object, spec: { selector: labelsOf("iris", 8, "canary") } }
      : object,
  );
  assert.is(observe("iris", objects).weight, 100);
});

test("sees_the_rest_of_a_canary_that_was_half_removed", () => {
  const rest = without(cluster(GATEWAY, done(2)), "Deployment");
  assert.ok(observe("iris", rest).leftovers);
  const clean = objectsOf({ ...INPUTS, config: GATEWAY });
  assert.not(observe("iris", clean).leftovers);
  const going = [
    { ...rest[0], kind: "Deployment", metadata: { name: "iris-canary", deletionTimestamp: "now" } },
  ];
  assert.not(observe("iris", going).canary);
});

function pod(name: string, state: object, more: object = {}): Seen {
  return {
    kind: "Pod",
    metadata: { name, labels: labelsOf("iris", 8, "canary") },
    status: {
      phase: "Running",
      conditions: [{ type: "Ready", status: "False" }],
      containerStatuses: [{ name: "service", restartCount: 3, state, ...more }],
    },
  };
}

test("finds_why_pods_never_become_ready_in_the_clusters_own_words", () => {
  const waiting = { waiting: { reason: "CrashLoopBackOff", message: "back-off 10s restarting" } };
  const last = { lastState: { terminated: { exitCode: 1, reason: "Error" } } };
  const seen = observe("iris", [...cluster(GATEWAY, {}), pod("iris-canary-x", waiting, last)]);
  assert.equal(seen.canary?.trouble, {
    why: "pod iris-canary-x: CrashLoopBackOff: back-off 10s restarting; it ended with 1 (Error), restarted 3 times",
    certain: true,
  });
  assert.is(seen.stable?.trouble, undefined, "it is the canary's trouble alone");
  assert.ok(seen.pods[0]?.ended);
});

test("does_not_take_a_start_for_trouble", () => {
  const waiting = { waiting: { reason: "ContainerCreating" } };
  const seen = observe("iris", [...cluster(GATEWAY, {}), pod("iris-canary-x", waiting)]);
  assert.is(seen.canary?.trouble, undefined);
});

test("waits_a_while_when_a_quota_has_no_room_which_may_pass", () => {
  const conditions = [
    {
      ...{ type: "ReplicaFailure", status: "True", reason: "FailedCreate" },
      message: "exceeded quota: compute",
    },
  ];
  const { canary } = observe("iris", cluster(GATEWAY, { ...done(0), conditions }));
  assert.equal(canary?.trouble, { why: "FailedCreate: exceeded quota: compute", certain: false });
});

test("reads_one_object_a_list_and_nothing", () => {
  assert.equal(readObjects(""), []);
  assert.equal(readObjects('{"kind":"List","items":[{"kind":"Pod"}]}'), [{ kind: "Pod" }]);
  assert.equal(readObjects('{"kind":"Deployment"}'), [{ kind: "Deployment" }]);
});

test("waits_for_the_line_that_says_complete_and_returns_early_on_trouble", () => {
  const settled = new RegExp(SETTLED, "m");
  const unsettled = new RegExp(UNSETTLED, "m");
  const complete =
    "D 3 3 2 2 2 2 ; Available=True MinimumReplicasAvailable\nP Running\nP Running\n";
  assert.match(complete, settled);
  assert.not.match(complete, unsettled);
  for (const line of [
    "D 3 2 2 2 2 2 ;",
    "D 3 3 2 2 3 2 ;",
    "D 1 1 2 <no value> <no value> <no value> ;",
  ]) {
    assert.not.match(`${line}\nP Pending ContainerCreating\n`, settled);
    assert.match(`${line}\n`, unsettled);
  }
  for (const trouble of [
    "P Running CrashLoopBackOff",
    "D 1 1 2 1 1 1 ; ReplicaFailure=True FailedCreate",
  ])
    assert.match(`${trouble}\n`, settled);
  assert.match("ImagePullBackOff", new RegExp(HOPELESS_PATTERN));
});

test.run();
