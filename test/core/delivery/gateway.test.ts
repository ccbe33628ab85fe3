// A gateway that takes over routes late, or not at all, in a simulated cluster.
import { suite } from "uvu";
import * as assert from "uvu/assert";

import { takeBack } from "../../../src/core/delivery/process.js";
import { decide } from "../../../src/core/delivery/rollout.js";
import { generator } from "../random.js";
import { served, open, deploy, statuses, isClean } from "./deployments.js";
import { releaseOf } from "./releases.js";
import { CALM } from "./simulation.js";

const test = suite("delivery, gateways");

test("removes_no_canary_that_the_gateway_still_sends_requests_to", async () => {
  const cluster = served();
  const opened = await open(cluster, "a");
  opened.world.outcomes = ["failed"];
  opened.world.lags = [12];
  assert.is((await deploy(opened)).outcome, "failed");
  assert.ok(isClean(cluster));
  assert.equal(cluster.wrongs, []);
});

test("leaves_the_canary_there_when_the_gateway_does_not_let_go_of_it", async () => {
  const cluster = served();
  const opened = await open(cluster, "a");
  await opened.run.pursue(
    { kind: "canary", release: 2, replicas: 1, weight: 10, exposed: false },
    releaseOf(2),
  );
  opened.world.lags = [1e6];
  const ended = await takeBack(opened.run, releaseOf(2), "interrupted", "aborted");
  assert.match(ended.stuck ?? "", /gateway has not taken over the route/);
  assert.ok(cluster.canary, "it was removed while requests go there");
  assert.is(cluster.weight, 0);
});

for (const [state, weight] of [
  ["waits", 10],
  ["got_no_request_yet", 0],
] as const)
  test(`removes_a_canary_that_${state}_and_whose_service_somebody_deleted`, async () => {
    const cluster = served();
    const opened = await open(cluster, "a");
    const release = releaseOf(2, { status: "waiting", phase: "canary" });
    opened.run.save(release);
    const goal = { kind: "canary", release: 2, replicas: 1, weight, exposed: false } as const;
    await opened.run.pursue(goal, release);
    cluster.service = false;
    const before = cluster.time;
    const { run } = await open(cluster, "b");
    await run.recover("take back", "aborted");
    assert.ok(isClean(cluster));
    assert.not.ok(cluster.named, "the route still names it");
    assert.ok(cluster.time - before < 30, `${cluster.time - before} s`);
    assert.equal(statuses(cluster), { 1: "live", 2: "aborted" });
    assert.equal(cluster.wrongs, []);
  });

test("says_what_the_gateway_says_when_it_takes_over_no_route", () => {
  const seen = { ...served().observe(), leftovers: true, routed: false, named: false };
  const complaint = 'ResolvedRefs=False (BackendNotFound): service "iris" not found';
  const action = decide(
    { kind: "restore", release: 1 },
    { ...seen, complaint },
    { settled: 90, waited: 90, unsure: 0 },
    { drain: 3, keep: 4, deadline: 60 },
  );
  assert.is(action.do, "fail");
  assert.match("why" in action ? action.why : "", 'service "iris" not found');
});

test("gives_new_pods_no_requests_while_a_gateway_may_not_have_heard_of_them", async () => {
  let waited = 0;
  for (let seed = 1; seed <= 60; seed++) {
    const cluster = served();
    const opened = await open(cluster, "a", generator(seed), { ...CALM, outage: 150 });
    const ended = await deploy(opened);
    assert.is(ended.outcome, "done", `seed ${seed}`);
    assert.equal(cluster.wrongs, [], `seed ${seed}`);
    waited += opened.world.said.filter((line) => line.includes("the API server was away")).length;
  }
  assert.ok(waited > 30, `${waited} waits`);
});

test.run();
