// Whole deployments in a simulated cluster.
import { suite } from "uvu";
import * as assert from "uvu/assert";

import { replace, rollOut, takeBack } from "../../../src/core/delivery/process.js";
import { openRelease } from "../../../src/core/delivery/release.js";
import { stepsBeforeApproval } from "../../../src/core/delivery/steps.js";
import { STEPS, served, open, deploy, statuses, isClean } from "./deployments.js";
import { releaseOf } from "./releases.js";
import { Cluster } from "./simulation.js";

const test = suite("delivery process");

test("makes_the_first_release_stable_without_a_canary", async () => {
  const cluster = new Cluster();
  const ended = await deploy(await open(cluster, "a"));
  assert.is(ended.outcome, "done");
  assert.equal(statuses(cluster), { 1: "live" });
  assert.is(cluster.stable?.release, 1);
  assert.ok(isClean(cluster));
});

test("leaves_nothing_of_a_first_release_that_fails", async () => {
  const cluster = new Cluster();
  cluster.broken.add(1);
  const ended = await deploy(await open(cluster, "a"));
  assert.is(ended.outcome, "failed");
  assert.match(ended.release.why ?? "", /release 1 crashes/);
  assert.equal(statuses(cluster), { 1: "failed" });
  assert.is(cluster.stable, undefined);
  assert.equal([...cluster.objects], []);
});

test("says_why_a_first_release_failed_also_when_not_all_of_it_may_be_deleted", async () => {
  const cluster = new Cluster();
  cluster.broken.add(1);
  const opened = await open(cluster, "a");
  cluster.objects.set("rule", 1);
  cluster.foreign.add("rule");
  const ended = await deploy(opened);
  assert.is(ended.outcome, "failed");
  assert.match(ended.release.why ?? "", /release 1 crashes/);
  assert.match(ended.stuck ?? "", /may not delete/);
  assert.is(cluster.stable, undefined);
  assert.equal(statuses(cluster), { 1: "failed" });
});

test("goes_up_step_by_step_and_supersedes_what_was_live", async () => {
  const cluster = served();
  const opened = await open(cluster, "a");
  const ended = await deploy(opened);
  assert.is(ended.outcome, "done");
  assert.equal(
    ended.release.steps.map(({ weight, analysis }) => [weight, analysis?.outcome]),
    [
      [10, "passed"],
      [50, "passed"],
      [100, "passed"],
    ],
  );
  assert.equal(statuses(cluster), { 1: "superseded", 2: "live" });
  assert.is(cluster.stable?.release, 2);
  assert.is(opened.world.aliasOf, 2, "the model's alias did not follow");
  assert.ok(isClean(cluster));
  assert.equal(cluster.wrongs, []);
});

for (const [outcome, status, ended] of [
  ["failed", "failed", "failed"],
  ["inconclusive", "waiting", "paused"],
] as const)
  test(`ends_${ended}_when_an_analysis_is_${outcome}`, async () => {
    const cluster = served();
    const opened = await open(cluster, "a");
    opened.world.outcomes = ["passed", outcome];
    assert.is((await deploy(opened)).outcome, ended);
    assert.equal(statuses(cluster), { 1: "live", 2: status });
    assert.is(cluster.stable?.release, 1);
    assert.is(cluster.weight, outcome === "failed" ? 0 : 50);
    assert.is(isClean(cluster), outcome === "failed");
    const steps = cluster.records.get(2)?.steps ?? [];
    assert.is(steps.at(-1)?.analysis?.outcome, outcome, "the measurement is on record");
    assert.equal(cluster.wrongs, []);
  });

test("repeats_a_measurement_that_did_not_work_and_goes_on_when_it_does", async () => {
  const cluster = served();
  const opened = await open(cluster, "a");
  opened.world.outcomes = ["errored", "errored", "errored", "passed"];
  assert.is((await deploy(opened)).outcome, "done");
});

test("takes_back_a_release_that_cannot_be_measured", async () => {
  const cluster = served();
  const opened = await open(cluster, "a");
  opened.world.outcomes = ["errored", "errored", "errored", "errored"];
  const ended = await deploy(opened);
  assert.is(ended.outcome, "failed");
  assert.match(ended.release.why ?? "", /did not work 4 times/);
  assert.ok(isClean(cluster));
});

test("gives_a_canary_no_request_that_fails_its_smoke_test", async () => {
  const cluster = served();
  const opened = await open(cluster, "a");
  opened.world.smokes = false;
  const ended = await deploy(opened);
  assert.is(ended.outcome, "failed");
  assert.match(ended.release.why ?? "", /smoke test of the canary failed: status 500/);
  assert.is(cluster.lastUsed, -Infinity);
  assert.ok(isClean(cluster));
});

test("never_touches_stable_when_the_canary_crashes", async () => {
  const cluster = served();
  cluster.broken.add(2);
  const before = cluster.stable?.generation;
  const ended = await deploy(await open(cluster, "a"));
  assert.is(ended.outcome, "failed");
  assert.is(ended.details, "details");
  assert.is(cluster.stable?.generation, before);
  assert.ok(isClean(cluster));
});

test("stops_with_the_canary_in_place_before_all_requests_go_there", async () => {
  const cluster = served();
  const ended = await deploy(await open(cluster, "a"), stepsBeforeApproval(STEPS, undefined));
  assert.is(ended.outcome, "done");
  assert.is(ended.release.status, "waiting");
  assert.is(cluster.weight, 50);
  const { run } = await open(cluster, "b");
  const waiting = openRelease(run.records);
  assert.ok(waiting);
  const promoted = await rollOut(run, waiting, { steps: STEPS, done: waiting.steps.length });
  await run.world.flush();
  assert.is(promoted.outcome, "done");
  assert.is(promoted.release.why, undefined, "it waits for nothing any more");
  assert.equal(
    promoted.release.steps.map(({ weight }) => weight),
    [10, 50, 100],
  );
  assert.is(cluster.stable?.release, 2);
  assert.ok(isClean(cluster));
});

test("goes_back_to_an_older_release_without_a_canary", async () => {
  const cluster = served();
  await deploy(await open(cluster, "a"));
  const { run } = await open(cluster, "b");
  const back = releaseOf(3, { kind: "rollback", of: 1, reference: releaseOf(1).reference });
  assert.is((await replace(run, back)).outcome, "done");
  await run.world.flush();
  assert.equal(statuses(cluster), { 1: "superseded", 2: "rolled-back", 3: "live" });
  assert.is(cluster.stable?.release, 3);
});

test("takes_back_what_is_under_way_and_says_why", async () => {
  const cluster = served();
  const { run } = await open(cluster, "a");
  const release = releaseOf(2, { status: "pending", phase: "canary" });
  run.save(release);
  await run.pursue({ kind: "canary", release: 2, replicas: 1, weight: 10, exposed: true }, release);
  assert.ok(cluster.exposed);
  const ended = await takeBack(run, release, "interrupted", "aborted");
  await run.world.flush();
  assert.is(ended.release.why, "interrupted");
  assert.equal(statuses(cluster), { 1: "live", 2: "aborted" });
  assert.ok(isClean(cluster));
});

test.run();
