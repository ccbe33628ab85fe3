// Whether what waits for pods and routes ends when it should: the lines of cluster.py, and the patterns for them.
import * as assert from "uvu/assert";

import { ROUTED, SETTLED, UNSETTLED } from "../../../src/core/delivery/queries.js";
import { apiSuite, ask, CORE, first } from "./asking.js";

const test = apiSuite("waits");

/** The line of an object, as what waits for it sees it. */
function summaryOf(folder: string, object: object): string {
  const place = { kind: "v1/things", name: "a" };
  const { answers } = ask(folder, { [`GET ${CORE}/things/a`]: [200, object] }, [
    { all: [place], as: "summary" },
  ]);
  assert.is(first(answers).exitCode, 0, first(answers).stderr);
  return first(answers).stdout;
}

/** Python's patterns of these files are JavaScript's too. */
const matches = (pattern: string, text: string): boolean => new RegExp(pattern, "m").test(text);

test("ends_a_wait_when_a_deployment_is_complete_and_not_before", ({ folder }) => {
  const deployment = (status: object, replicas = 2): object => ({
    ...{ kind: "Deployment", metadata: { generation: 3 }, spec: { replicas } },
    status: { observedGeneration: 3, replicas, updatedReplicas: replicas, ...status },
  });
  const whole = summaryOf(folder, deployment({ availableReplicas: 2 }));
  assert.ok(matches(SETTLED, whole), whole);
  assert.not.ok(matches(UNSETTLED, whole), whole);
  for (const behind of [
    { availableReplicas: 1 },
    {},
    { availableReplicas: 2, observedGeneration: 2 },
    { availableReplicas: 2, replicas: 3 },
  ]) {
    const text = summaryOf(folder, deployment(behind));
    assert.not.ok(matches(SETTLED, text), text);
    assert.ok(matches(UNSETTLED, text), text);
  }
  const late = { type: "Progressing", status: "False", reason: "ProgressDeadlineExceeded" };
  const hopeless = summaryOf(folder, deployment({ availableReplicas: 0, conditions: [late] }));
  assert.ok(matches(SETTLED, hopeless), hopeless);
});

test("ends_a_wait_when_a_pod_cannot_start", ({ folder }) => {
  const pod = (state: object): object => ({
    ...{ kind: "Pod", metadata: {} },
    status: { phase: "Pending", containerStatuses: [{ state }] },
  });
  const creating = summaryOf(folder, pod({ waiting: { reason: "ContainerCreating" } }));
  assert.not.ok(matches(SETTLED, creating), creating);
  const crashing = summaryOf(folder, pod({ waiting: { reason: "CrashLoopBackOff" } }));
  assert.ok(matches(SETTLED, crashing), crashing);
});

test("ends_a_wait_when_the_gateway_has_taken_over_the_route_as_it_is_now", ({ folder }) => {
  const route = (...conditions: object[]): object => ({
    ...{ kind: "HTTPRoute", metadata: { generation: 4 }, spec: {} },
    status: { parents: [{ conditions }] },
  });
  const condition = (type: string, observedGeneration: number): object => ({
    ...{ type, status: "True", observedGeneration },
  });
  const taken = route(condition("Accepted", 4), condition("ResolvedRefs", 4));
  assert.ok(matches(ROUTED, summaryOf(folder, taken)));
  for (const behind of [
    route(condition("Accepted", 3), condition("ResolvedRefs", 4)),
    route(condition("Accepted", 4)),
    { ...taken, status: undefined },
  ]) {
    const text = summaryOf(folder, behind);
    assert.not.ok(matches(ROUTED, text), text);
  }
});

test.run();
