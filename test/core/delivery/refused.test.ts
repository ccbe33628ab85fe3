// Deployments of which the cluster refuses something, in a simulated one.
import { suite } from "uvu";
import * as assert from "uvu/assert";

import { HalfDone, rollOut, takeBack } from "../../../src/core/delivery/process.js";
import { openRelease } from "../../../src/core/delivery/release.js";
import { stepsBeforeApproval } from "../../../src/core/delivery/steps.js";
import { Refused } from "../../../src/core/delivery/world.js";
import {
  candidate,
  objectsOf,
  STEPS,
  served,
  open,
  deploy,
  isClean,
  unlessDead,
} from "./deployments.js";

const test = suite("delivery, refusals");

test("takes_back_the_other_objects_of_a_release_whose_deployment_is_refused", async () => {
  const cluster = served();
  const ended = await deploy(await open(cluster, "a"), stepsBeforeApproval(STEPS, undefined));
  assert.is(ended.release.status, "waiting");
  // Somebody helps himself while it waits.
  cluster.scale(6);
  const { run } = await open(cluster, "b");
  const waiting = openRelease(run.records);
  assert.ok(waiting);
  const promoted = await rollOut(run, waiting, { steps: STEPS, done: waiting.steps.length });
  await run.world.flush();
  assert.is(promoted.outcome, "failed");
  assert.match(promoted.release.why ?? "", '"kubectl" sets .spec.replicas');
  assert.is(promoted.stuck, undefined);
  assert.is(cluster.stable?.replicas, 6, "nobody scales down who was not asked to");
  assert.equal(Object.fromEntries(cluster.objects), objectsOf(1));
  assert.ok(isClean(cluster));
  assert.equal(cluster.wrongs, []);
});

test("gives_the_requests_back_also_when_an_object_beside_them_is_refused", async () => {
  const cluster = served();
  const opened = await open(cluster, "a");
  cluster.foreign.add("settings");
  cluster.broken.add(2);
  const release = candidate(2, { status: "pending", phase: "promoting" });
  opened.run.save(release);
  const goal = { kind: "canary", release: 2, replicas: 1, weight: 0, exposed: false } as const;
  await unlessDead(() => opened.run.pursue(goal, release)).catch(() => undefined);
  const ended = await takeBack(opened.run, release, "it crashed", "failed");
  await opened.run.world.flush();
  assert.match(ended.stuck ?? "", '"somebody" sets .data of settings');
  assert.is(ended.release.why, "it crashed");
  assert.ok(isClean(cluster));
});

test("keeps_why_a_release_failed_that_cannot_be_taken_back", async () => {
  const cluster = served();
  const opened = await open(cluster, "a");
  opened.world.outcomes = ["failed"];
  const { world } = opened;
  const act = world.act.bind(world);
  world.act = (deed, hands) => {
    if (deed.do === "weigh" && deed.weight === 0) throw new Refused("the user may not do that");
    return act(deed, hands);
  };
  try {
    await deploy(opened);
    assert.unreachable("it was taken back");
  } catch (error) {
    assert.instance(error, HalfDone);
    const { message } = error as HalfDone;
    assert.match(message, /analysis at 10 % failed[^]*not taken back[^]*the user may not do that/);
  }
  await world.flush();
  const record = cluster.records.get(2);
  assert.is(record?.status, "pending", "the next run takes it back");
  assert.match(record?.why ?? "", "analysis at 10 % failed");
  const next = await open(cluster, "b");
  await next.run.recover("take back");
  assert.match(cluster.records.get(2)?.why ?? "", "analysis at 10 % failed");
  assert.ok(isClean(cluster));
});

test.run();
