import { suite } from "uvu";
import * as assert from "uvu/assert";

import { observe } from "../../../src/core/delivery/observe.js";
import { complaintOf, isTaken } from "../../../src/core/delivery/taken.js";

const test = suite("what gateways say of a route");

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly observedGeneration: number;
}

const condition = (type: string, status: string, more: Partial<Condition> = {}): Condition => ({
  ...{ type, status, observedGeneration: 3 },
  ...more,
});
const route = (...parents: readonly (readonly Condition[])[]) => ({
  metadata: { name: "iris", generation: 3 },
  status: { parents: parents.map((conditions) => ({ conditions })) },
});
const ACCEPTED = condition("Accepted", "True");
const RESOLVED = condition("ResolvedRefs", "True");
const MISSING = condition("ResolvedRefs", "False", {
  reason: "BackendNotFound",
  message: 'service "iris-canary" not found',
});

test("is_taken_over_when_one_gateway_says_both_of_the_route_as_it_is", () => {
  assert.ok(isTaken(route([ACCEPTED, RESOLVED])));
  assert.ok(isTaken(route([ACCEPTED], [ACCEPTED, RESOLVED])));
  assert.not.ok(isTaken(route([ACCEPTED], [RESOLVED])));
  assert.not.ok(isTaken(route([ACCEPTED, MISSING])));
  assert.not.ok(isTaken(route([ACCEPTED, { ...RESOLVED, observedGeneration: 2 }])));
  assert.not.ok(isTaken({ metadata: {} }));
});

test("says_what_the_gateway_complains_of", () => {
  assert.is(
    complaintOf(route([ACCEPTED, MISSING], [ACCEPTED, MISSING])),
    'ResolvedRefs=False (BackendNotFound): service "iris-canary" not found',
  );
  assert.match(complaintOf(route()), "no gateway says anything");
  const late = { ...ACCEPTED, observedGeneration: 2 };
  assert.match(complaintOf(route([late, { ...RESOLVED, observedGeneration: 2 }])), "generation 2");
});

test("is_part_of_what_is_seen_of_a_service", () => {
  const seen = observe("iris", [{ kind: "HTTPRoute", ...route([ACCEPTED, MISSING]) }]);
  assert.not.ok(seen.routed);
  assert.match(seen.complaint ?? "", "BackendNotFound");
  const well = observe("iris", [{ kind: "HTTPRoute", ...route([ACCEPTED, RESOLVED]) }]);
  assert.ok(well.routed);
  assert.is(well.complaint, undefined);
  assert.is(observe("iris", []).complaint, undefined);
});

test.run();
