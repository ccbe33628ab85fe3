// Deployments beside a live release of which no pod is ready, in a simulated cluster.
import { suite } from "uvu";
import * as assert from "uvu/assert";

import { stillNothingToCompare } from "../../../src/core/delivery/comparison.js";
import { openRelease } from "../../../src/core/delivery/release.js";
import { stepsBeforeApproval } from "../../../src/core/delivery/steps.js";
import { generator } from "../random.js";
import {
  STEPS,
  served,
  open,
  deploy,
  promote,
  statuses,
  isClean,
  fall,
  unlessDead,
} from "./deployments.js";
import { CALM } from "./simulation.js";

const test = suite("delivery beside what does not serve");

test("replaces_a_release_of_which_no_pod_is_ready_without_a_canary", async () => {
  const cluster = served();
  fall(cluster);
  const ended = await deploy(await open(cluster, "a"));
  assert.is(ended.outcome, "done");
  assert.equal(ended.release.steps, []);
  assert.is(ended.release.phase, "replacing");
  assert.equal(statuses(cluster), { 1: "superseded", 2: "live" });
  assert.ok(cluster.observe().stable?.complete);
  assert.ok(isClean(cluster));
});

test("waits_a_moment_for_pods_to_be_compared_with", async () => {
  const cluster = served();
  cluster.stable?.ready.clear();
  const opened = await open(cluster, "a");
  assert.is(await stillNothingToCompare(opened.run), undefined, "they were ready soon");
  const before = cluster.time;
  fall(cluster);
  opened.run.see(cluster.observe());
  assert.match((await stillNothingToCompare(opened.run)) ?? "", /release 1 crashes/);
  assert.is(cluster.time, before, "who crashes is not waited for");
  cluster.stable = undefined;
  opened.run.see(cluster.observe());
  assert.match((await stillNothingToCompare(opened.run)) ?? "", /no pod of release 1 is ready/);
});

test("brings_a_fix_to_a_release_that_crashes_whatever_was_under_way", async () => {
  let replaced = 0;
  for (let seed = 1; seed <= 300; seed++) {
    const random = generator(seed);
    const cluster = served();
    if (random.int(3) === 0) cluster.broken.add(2);
    await unlessDead(async () => {
      const opened = await open(cluster, "a", random, { ...CALM, kill: 60 });
      await deploy(opened, random.int(3) === 0 ? 1 : undefined);
    });
    fall(cluster);
    const opened = await open(cluster, "b");
    // What was not recorded gives its number to the fix.
    cluster.broken.delete(opened.run.next);
    const ended = await deploy(opened);
    const told = `seed ${seed}: ${JSON.stringify({ statuses: statuses(cluster), seen: cluster.observe(), ended })}`;
    assert.is(ended.outcome, "done", told);
    assert.is(cluster.stable?.release, ended.release.number, told);
    assert.ok(isClean(cluster), told);
    assert.equal(cluster.wrongs, [], told);
    if (ended.release.phase === "replacing") replaced += 1;
  }
  assert.ok(replaced > 100, `${replaced} without a canary`);
});

test("lets_a_fix_wait_for_a_yes_without_requests_when_no_pod_is_ready", async () => {
  const cluster = served();
  fall(cluster);
  const ended = await deploy(await open(cluster, "a"), stepsBeforeApproval(STEPS, undefined));
  assert.equal([ended.outcome, ended.release.status], ["done", "waiting"]);
  assert.match(ended.release.why ?? "", /no pod of release 1 is ready.*`slipway promote`/);
  assert.equal(ended.release.steps, []);
  assert.is(cluster.observe().canary?.complete, true);
  assert.equal([cluster.stable?.release, cluster.weight, cluster.lastUsed], [1, 0, -Infinity]);
  const promoted = await promote(await open(cluster, "b"));
  assert.is(promoted.outcome, "done");
  assert.equal(statuses(cluster), { 1: "superseded", 2: "live" });
  assert.ok(cluster.observe().stable?.complete);
  assert.ok(isClean(cluster));
  assert.equal(cluster.wrongs, []);
});

test("measures_a_fix_that_waited_when_the_live_release_is_well_again", async () => {
  const cluster = served();
  fall(cluster);
  await deploy(await open(cluster, "a"), 1);
  cluster.broken.clear();
  cluster.pass(2);
  const { outcome, release } = await promote(await open(cluster, "b"));
  assert.is(outcome, "done");
  assert.equal(
    release.steps.map(({ weight, analysis }) => [weight, analysis?.outcome]),
    [
      [10, "passed"],
      [50, "passed"],
      [100, "passed"],
    ],
  );
  assert.equal(cluster.wrongs, []);
});

test("takes_a_fix_back_that_fails_its_smoke_test_though_nothing_else_answers", async () => {
  const cluster = served();
  fall(cluster);
  const opened = await open(cluster, "a");
  opened.world.smokes = false;
  const ended = await deploy(opened, 1);
  assert.is(ended.outcome, "failed");
  assert.match(ended.release.why ?? "", /smoke test of the canary failed/);
  assert.match(ended.stuck ?? "", /release 1 crashes/);
  assert.is(cluster.stable?.release, 1);
  assert.ok(isClean(cluster));
});

test("refuses_to_let_a_fix_wait_in_the_place_of_a_canary_that_answers", async () => {
  const cluster = served();
  await deploy(await open(cluster, "a"), 1);
  fall(cluster);
  const opened = await open(cluster, "b");
  const message = await deploy(opened, 1).then(
    () => "it was put up",
    (error: unknown) => (error as Error).message,
  );
  assert.match(message, /no pod of release 1 is ready.* but for a canary of release 2/);
  assert.is(cluster.weight, 10, "who answers goes on");
  assert.is((await deploy(await open(cluster, "c"))).outcome, "done");
  assert.ok(isClean(cluster));
});

test("makes_nothing_live_without_a_yes_whatever_goes_wrong", async () => {
  let [waited, lives] = [0, 0];
  for (let seed = 1; seed <= 300; seed++) {
    const random = generator(seed);
    const cluster = served();
    if (random.int(3) > 0) fall(cluster);
    if (random.int(4) === 0) cluster.broken.add(2);
    const faults = { ...CALM, kill: random.pick([0, 40]), away: random.pick([0, 20]) };
    const told = (): string =>
      `seed ${seed}: ${JSON.stringify({ statuses: statuses(cluster), seen: cluster.observe() })}`;
    for (let attempt = 0; attempt < 3; attempt++) {
      await unlessDead(async () => {
        const opened = await open(cluster, `run ${attempt}`, random, faults);
        opened.world.lags = random.pick([[0], [0, 0.2, 3]]);
        if (openRelease(opened.run.records)?.status !== "waiting") await deploy(opened, 1);
      });
      assert.is(cluster.stable?.release, 1, told());
    }
    // An end in the middle is taken back, a canary that waits is not.
    const { run } = await open(cluster, "last");
    await run.recover("leave");
    assert.equal([cluster.stable?.release, run.live?.number], [1, 1], told());
    assert.equal(cluster.wrongs, [], told());
    if (openRelease(run.records) === undefined) continue;
    waited += 1;
    if ((await promote(await open(cluster, "yes"))).outcome === "done") lives += 1;
    assert.equal(cluster.wrongs, [], told());
  }
  assert.ok(waited > 100 && lives > 100, `${waited} waited, ${lives} live`);
});

test("says_when_an_aborted_canary_leaves_a_release_that_is_not_well", async () => {
  const cluster = served();
  await deploy(await open(cluster, "a"), 1);
  fall(cluster);
  const { run } = await open(cluster, "b");
  const amiss = await run.recover("take back", "aborted");
  assert.match(amiss ?? "", /no pod of the stable release is ready to take the requests back/);
  assert.ok(cluster.canary, "who answers is kept");
  assert.equal(statuses(cluster), { 1: "live", 2: "aborted" });
});

test.run();
