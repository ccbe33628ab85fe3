// The number of pods when an autoscaler comes or goes.
import { suite } from "uvu";
import * as assert from "uvu/assert";

import type { KubernetesObject } from "../../../src/core/delivery/objects/index.js";
import { objectsOf, podsOf } from "../../../src/core/delivery/objects/index.js";
import { handover, takenOver, type Handover } from "../../../src/core/delivery/scaling.js";
import { stableHandover } from "../../../src/core/delivery/changes.js";
import type { ReleaseRecord, Workload } from "../../../src/core/delivery/types.js";
import { inputs } from "./objects/inputs.js";
import { releaseOf } from "./releases.js";

const test = suite("scaling");

function released(number: number, isScaled: boolean): ReleaseRecord {
  const labels = { app: "iris" };
  const container = { name: "web", image: "x", readinessProbe: {} };
  const own: KubernetesObject[] = [
    {
      ...{ apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "iris" } },
      spec: {
        replicas: 3,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [container] } },
      },
    },
    {
      ...{ apiVersion: "v1", kind: "Service", metadata: { name: "iris" } },
      spec: { selector: labels, ports: [{ port: 80 }] },
    },
    {
      ...{ apiVersion: "autoscaling/v2", kind: "HorizontalPodAutoscaler", metadata: { name: "a" } },
      spec: { scaleTargetRef: { kind: "Deployment", name: "iris" }, maxReplicas: 9 },
    },
  ];
  const given = inputs({ route: { gateway: "web" } }, { own: isScaled ? own : own.slice(0, 2) });
  return releaseOf(number, { objects: objectsOf(given), config: given.config });
}

const WITHOUT_CANARY = { weight: 0, exposed: false, leftovers: false };
const STABLE: Workload = {
  ...{ release: 2, image: "", generation: 1, replicas: 3, available: 3, complete: true },
};

const FIXED = released(1, false);
const SCALED = released(2, true);

const handed = (
  release: ReleaseRecord,
  before: ReleaseRecord | undefined,
  pods: number | undefined = 5,
): Handover => handover(release.objects, release, before, pods);

const PODS = (spec?: object): KubernetesObject => ({
  ...{ apiVersion: "apps/v1", kind: "Deployment" },
  metadata: { name: "iris", namespace: "shop" },
  ...(spec && { spec }),
});

test("holds_the_number_of_pods_until_a_new_autoscaler_sets_another", () => {
  const { first, objects, last } = handed(SCALED, FIXED);
  assert.equal(first, [PODS({ replicas: 5 })], "a field that nobody applies any more becomes 1");
  assert.is(podsOf(objects, "iris"), undefined, "the autoscaler has it from then on");
  assert.equal(last, []);
});

test("goes_on_with_the_number_that_an_autoscaler_left_and_lets_go_of_it", () => {
  const { first, objects, last } = handed(FIXED, SCALED);
  assert.equal(first, [PODS({ replicas: 5 })]);
  assert.is(podsOf(objects, "iris"), 5, "another number is refused, and a rollback with it");
  assert.equal(last, [PODS()], "the next release may set its own");
  assert.is(objects.length, FIXED.objects.length);
});

test("changes_nothing_of_a_release_with_which_no_autoscaler_comes_or_goes", () => {
  for (const [release, before] of [
    [released(3, false), FIXED],
    [released(3, true), SCALED],
    [FIXED, undefined],
    [SCALED, undefined],
  ] as const)
    assert.equal(handed(release, before), { first: [], objects: release.objects, last: [] });
  const gone = handover(SCALED.objects, SCALED, FIXED, undefined);
  assert.equal(gone.first, [], "nothing is there whose number could be held");
});

test("composes_a_release_with_the_number_of_pods_that_an_autoscaler_left", () => {
  const pods = (of: ReleaseRecord, live?: ReleaseRecord, seen: number | undefined = 5) =>
    podsOf(takenOver(of.objects, live, seen), "iris");
  assert.is(pods(FIXED, SCALED), 5);
  assert.is(pods(FIXED, released(2, false)), 3);
  assert.is(pods(FIXED), 3);
  assert.is(podsOf(takenOver(FIXED.objects, SCALED, undefined), "iris"), 3);
  assert.is(pods(SCALED, SCALED), undefined);
});

test("tries_what_is_applied_of_a_release_that_becomes_stable", () => {
  const seen = { ...WITHOUT_CANARY, stable: { ...STABLE, replicas: 5 } };
  // The number of pods that an autoscaler left is nobody's conflict.
  const { objects } = stableHandover(FIXED, seen, SCALED);
  assert.is(podsOf(objects, "iris"), 5);
  const back = stableHandover({ ...FIXED, kind: "rollback" }, seen, FIXED).objects;
  const { strategy } = back.find(({ kind }) => kind === "Deployment")?.spec as {
    strategy: { rollingUpdate: object };
  };
  assert.equal(strategy.rollingUpdate, { maxUnavailable: 0, maxSurge: "100%" });
  // The route shares the requests as they are shared by now.
  const shared = stableHandover(FIXED, { ...seen, weight: 20, leftovers: true }, FIXED).objects;
  assert.match(
    JSON.stringify(shared.find(({ kind }) => kind === "HTTPRoute")),
    /"name":"iris-canary"[^}]*"weight":20/,
  );
});

test.run();
