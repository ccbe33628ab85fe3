import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  objectsOf,
  realWeight,
  replicasFor,
  routeOf,
  routerOf,
  serviceFor,
  type KubernetesObject,
} from "../../../../src/core/delivery/objects/index.js";
import { field } from "../../../../src/core/delivery/objects/shape.js";
import { generator } from "../../random.js";
import { inputs } from "./inputs.js";

const test = suite("weights");

test("sends_exactly_the_share_by_a_gateway_with_as_many_pods_as_it_needs", () => {
  assert.equal(replicasFor("gateway", 10, 25), { stable: 10, canary: 3, percent: 25 });
  assert.is(replicasFor("replicas", 0, 10).canary, 1, "stable was scaled down to nothing");
  assert.equal(replicasFor("gateway", 100, 29), { stable: 100, canary: 29, percent: 29 });
  assert.equal(replicasFor("gateway", 2, 0), { stable: 2, canary: 1, percent: 0 });
  assert.equal(replicasFor("gateway", 2, 0.5), { stable: 2, canary: 1, percent: 0.5 });
  assert.equal(replicasFor("gateway", 2, 100), { stable: 2, canary: 2, percent: 100 });
});

test("says_the_real_share_where_pods_cannot_make_the_one_that_was_asked_for", () => {
  assert.equal(replicasFor("replicas", 2, 10), { stable: 2, canary: 1, percent: 33.33 });
  assert.equal(replicasFor("replicas", 9, 10), { stable: 9, canary: 1, percent: 10 });
  assert.equal(replicasFor("replicas", 3, 50), { stable: 3, canary: 3, percent: 50 });
  assert.equal(replicasFor("replicas", 4, 80), { stable: 4, canary: 4, percent: 50 });
  assert.equal(replicasFor("replicas", 4, 0), { stable: 4, canary: 1, percent: 0 });
  assert.equal(replicasFor("replicas", 4, 100), { stable: 4, canary: 4, percent: 100 });
});

test("never_takes_a_pod_from_stable_and_never_falls_when_the_weight_rises", () => {
  const any = generator(11);
  for (let round = 0; round < 500; round++) {
    const router = any.pick(["gateway", "replicas"] as const);
    const replicas = 1 + any.int(50);
    const [low = 0, high = 0] = [any.int(1001) / 10, any.int(1001) / 10].sort((a, b) => a - b);
    const pods = replicasFor(router, replicas, low);
    assert.is(pods.stable, replicas);
    assert.ok(pods.canary >= 1 && pods.canary <= replicas, JSON.stringify(pods));
    assert.ok(replicasFor(router, replicas, high).canary >= pods.canary);
    assert.ok(realWeight(router, replicas, high) >= realWeight(router, replicas, low));
  }
});

const route = (weight: number, more: object = {}, hasCanary = true): KubernetesObject => {
  const { config } = inputs({ route: { gateway: "edge/web", ...more } });
  const made = routeOf({ name: "iris", namespace: "shop", port: 8000, config, weight, hasCanary });
  if (!made) throw new Error("no route");
  return made;
};
interface Rule {
  readonly matches: unknown;
  readonly backendRefs: readonly { name: string; weight: number }[];
}
const rules = (made: KubernetesObject): Rule[] => field(made, "spec", "rules") as Rule[];
const shares = (made: KubernetesObject): Record<string, number> =>
  Object.fromEntries(
    rules(made)
      .at(-1)
      ?.backendRefs.map((one) => [one.name, one.weight]) ?? [],
  );

test("makes_a_route_of_both_services_and_of_stable_alone_without_a_canary", () => {
  assert.equal(shares(route(10)), { iris: 90, "iris-canary": 10 });
  assert.equal(shares(route(0.25)), { iris: 99_750, "iris-canary": 250 });
  assert.equal(shares(route(100)), { iris: 0, "iris-canary": 100 });
  assert.equal(shares(route(0, {}, false)), { iris: 100 });
  assert.equal(field(route(0), "spec", "parentRefs"), [{ namespace: "edge", name: "web" }]);
});

test("leads_by_header_to_the_canary_only_while_there_is_one", () => {
  const header = { header: "X-Canary=yes=1", hostnames: ["iris.example"] };
  const [first] = rules(route(0, header));
  assert.equal(first?.matches, [
    {
      path: { type: "PathPrefix", value: "/" },
      headers: [{ type: "Exact", name: "X-Canary", value: "yes=1" }],
    },
  ]);
  assert.equal(
    first?.backendRefs.map(({ name }) => name),
    ["iris-canary"],
  );
  assert.is(rules(route(0, header, false)).length, 1);
  assert.equal(field(route(0, header), "spec", "hostnames"), ["iris.example"]);
});

test("has_no_route_without_a_gateway", () => {
  const { config } = inputs();
  assert.is(routerOf(config), "replicas");
  const made = { name: "iris", namespace: "shop", port: 8000, config, weight: 0, hasCanary: false };
  assert.is(routeOf(made), undefined);
});

test("shares_by_what_the_service_selects_where_there_is_no_gateway", () => {
  const service = objectsOf(inputs()).find(({ kind }) => kind === "Service");
  if (!service) throw new Error("no Service");
  const track = (weight: number): unknown =>
    field(serviceFor(service, weight), "spec", "selector", "slipway.dev/track");
  assert.equal([0, 10, 99, 100].map(track), ["stable", undefined, undefined, "canary"]);
  assert.is(track(0), field(service, "spec", "selector", "slipway.dev/track"));
});

test("selects_by_the_service's_name_beside_the_labels_of_the_project", () => {
  const own = { ...{ apiVersion: "v1", kind: "Service" }, metadata: { name: "iris" } };
  const selected = [0, 33, 100].map((weight) =>
    field(serviceFor({ ...own, spec: { selector: { app: "web" } } }, weight), "spec", "selector"),
  );
  const named = { app: "web", "app.kubernetes.io/name": "iris" };
  assert.equal(selected, [
    { ...named, "slipway.dev/track": "stable" },
    named,
    { ...named, "slipway.dev/track": "canary" },
  ]);
});

test.run();
