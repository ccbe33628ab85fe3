// Whole deployments in a simulated cluster, in which everything goes wrong that can.
import { suite } from "uvu";
import * as assert from "uvu/assert";

import {
  HalfDone,
  replace,
  rollOut,
  takeBack,
  type Ended,
} from "../../../src/core/delivery/process.js";
import { decide } from "../../../src/core/delivery/rollout.js";
import { promotable } from "../../../src/core/delivery/approval.js";
import { refuseOccupied, stillNothingToCompare } from "../../../src/core/delivery/comparison.js";
import { openRelease } from "../../../src/core/delivery/release.js";
import { Run } from "../../../src/core/delivery/run.js";
import { stepsBeforeApproval, stepsOf } from "../../../src/core/delivery/steps.js";
import { LeaseLost, Refused } from "../../../src/core/delivery/world.js";
import { generator, type Generator } from "../random.js";
import type { ReleaseRecord } from "../../../src/core/delivery/types.js";
import { objectOf, releaseOf } from "./releases.js";
import { Away, CALM, Cluster, Killed, SimulatedWorld, type Faults } from "./simulation.js";

const test = suite("delivery process");

const { config } = releaseOf(1);

/** A release with settings as each has them, and an object that no other has. */
function candidate(number: number, more: Partial<ReleaseRecord> = {}): ReleaseRecord {
  const release = releaseOf(number, more);
  const own = [objectOf("ConfigMap", "settings"), objectOf("ConfigMap", `only-${number}`)];
  return { ...release, objects: [...release.objects, ...own] };
}

/** Objects of a release as they are when it serves alone. */
const objectsOf = (number: number): Record<string, number> => ({
  settings: number,
  [`only-${number}`]: number,
});
const STEPS = stepsOf(config, 2);

/** A cluster in which release 1 is live. */
function served(): Cluster {
  const cluster = new Cluster();
  cluster.stable = {
    ...{ release: 1, image: releaseOf(1).reference, replicas: 2, generation: 1, since: 0 },
    ready: new Map([[1, 2]]),
  };
  cluster.records.set(1, candidate(1, { status: "live" }));
  for (const [name, number] of Object.entries(objectsOf(1))) cluster.objects.set(name, number);
  return cluster;
}

interface Opened {
  readonly run: Run;
  readonly world: SimulatedWorld;
}

/** A run that has the lease by now, and sees what is there. */
async function open(
  cluster: Cluster,
  me: string,
  random: Generator = generator(1),
  faults: Faults = CALM,
): Promise<Opened> {
  cluster.holder = me;
  const world = new SimulatedWorld(cluster, me, random, faults, config.drain);
  const records = [...cluster.records.values()].sort((one, other) => one.number - other.number);
  return { world, run: new Run(world, records, await world.look()) };
}

async function deploy({ run, world }: Opened, stop?: number): Promise<Ended> {
  await run.recover("take back");
  const release = candidate(run.next, { status: "pending" });
  const ended = await bring(run, release, stop);
  await world.flush();
  return ended;
}

/** As `deploy` does, or `deployCanary` where it stops. */
async function bring(run: Run, release: ReleaseRecord, stop: number | undefined): Promise<Ended> {
  if (!run.live) return await replace(run, release);
  const alone = await stillNothingToCompare(run);
  if (alone === undefined) return await rollOut(run, release, { steps: STEPS, done: 0, stop });
  if (stop === undefined) return await replace(run, release);
  refuseOccupied(run.seen, alone);
  return await rollOut(run, release, { steps: STEPS, done: 0, stop: 0, alone });
}

/** As `promote` does. */
async function promote({ run, world }: Opened): Promise<Ended> {
  await run.recover("leave");
  const waiting = promotable(run.records, run.seen, undefined, world.date());
  const alone = await stillNothingToCompare(run);
  const done = alone === undefined ? waiting.steps.length : STEPS.length;
  const ended = await rollOut(run, waiting, { steps: STEPS, done });
  await world.flush();
  return ended;
}

const statuses = (cluster: Cluster): Record<number, string> =>
  Object.fromEntries([...cluster.records].map(([number, { status }]) => [number, status]));

function isClean(cluster: Cluster): boolean {
  return !cluster.canary && !cluster.service && cluster.weight === 0 && !cluster.exposed;
}

/** Beside the stable Deployment are the live release's objects, and none that only one has that never served. */
function isWhole(cluster: Cluster, told = ""): void {
  const records = [...cluster.records.values()];
  const live = records.findLast(({ status }) => status === "live");
  const wanted = live ? objectsOf(live.number) : {};
  for (const [name, number] of Object.entries(wanted))
    assert.is(cluster.objects.get(name), number, `${name}: ${told}`);
  for (const { number, status } of records)
    if (status === "failed" || status === "aborted")
      assert.not.ok(cluster.objects.has(`only-${number}`), `only-${number}: ${told}`);
}

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

test("recovers_whole_releases_from_a_kill_between_any_two_objects", async () => {
  let [lives, backs] = [0, 0];
  for (let seed = 1; seed <= 300; seed++) {
    const random = generator(seed);
    const cluster = served();
    if (random.int(3) === 0) cluster.broken.add(2);
    const way = random.int(2);
    await unlessDead(async () => {
      const opened = await open(cluster, "a", random, { ...CALM, kill: 70 });
      if (way === 0) await deploy(opened);
      else await replace(opened.run, candidate(2, { status: "pending" }));
      await opened.world.flush();
    });
    const { run } = await open(cluster, "b");
    await run.recover("take back");
    const told = `seed ${seed}: ${JSON.stringify({ statuses: statuses(cluster), objects: [...cluster.objects] })}`;
    isWhole(cluster, told);
    assert.ok(isClean(cluster), told);
    if (run.live?.number === 2) lives += 1;
    else backs += 1;
  }
  assert.ok(lives > 30 && backs > 30, `${lives} live, ${backs} taken back`);
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

/** The stable release's pods crash from now on. */
function fall(cluster: Cluster): void {
  if (!cluster.stable) return;
  cluster.broken.add(cluster.stable.release);
  cluster.stable.ready.clear();
}

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

test("keeps_its_hands_off_when_another_run_has_the_lease", async () => {
  const cluster = served();
  const opened = await open(cluster, "a");
  await opened.run.pursue(
    { kind: "canary", release: 2, replicas: 1, weight: 10, exposed: false },
    releaseOf(2),
  );
  cluster.holder = "b";
  const before = JSON.stringify(cluster.observe());
  try {
    await deploy(opened);
    assert.unreachable("it went on");
  } catch (error) {
    assert.instance(error, LeaseLost);
  }
  assert.is(JSON.stringify(cluster.observe()), before);
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

/** What a run does that begins in whatever state the last one left: deploy, roll back or abort. */
async function anything(opened: Opened, random: Generator): Promise<void> {
  const { run, world } = opened;
  world.outcomes = Array.from({ length: 6 }, () =>
    random.pick(["passed", "passed", "passed", "failed", "errored", "inconclusive"] as const),
  );
  world.smokes = random.int(10) > 0;
  world.lags = random.pick([[0], [0, 0.2, 3, 12]]);
  await run.recover("take back");
  const number = run.next;
  const choice = random.int(4);
  if (choice === 0 && run.live && run.live.number > 1) {
    await replace(run, candidate(number, { kind: "rollback", of: 1 }));
    await world.flush();
    return;
  }
  if (choice === 1) return;
  await deploy(opened, random.int(3) === 0 ? 1 : undefined);
}

async function unlessDead(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (thrown) {
    const error = thrown instanceof HalfDone ? thrown.cause : thrown;
    const kinds = [Killed, Away, LeaseLost, Refused];
    if (!kinds.some((kind) => error instanceof kind)) throw error;
  }
}

test("ends_serving_and_clean_whatever_went_wrong_before", async () => {
  let [lives, broken] = [0, 0];
  for (let seed = 1; seed <= 400; seed++) {
    const random = generator(seed);
    const cluster = random.int(5) === 0 ? new Cluster() : served();
    for (let number = 2; number < 12; number++) if (random.int(3) === 0) cluster.broken.add(number);
    const faults = {
      kill: random.pick([0, 20, 80]),
      away: random.pick([0, 20]),
      crash: random.pick([0, 30]),
      outage: random.pick([0, 50]),
      hand: random.pick([0, 0, 30]),
    };
    let other: Opened | undefined;
    for (let attempt = 0; attempt < 4; attempt++) {
      await unlessDead(async () => {
        const opened = await open(cluster, `run ${attempt}`, random, faults);
        // A run that was thought dead wakes up, while this one is at it.
        const stale = other;
        other = opened;
        await Promise.all([
          unlessDead(() => anything(opened, random)),
          stale && unlessDead(() => stale.run.recover("take back")),
        ]);
      });
    }
    // Who scaled has set it back, as the error asked him to.
    cluster.scaled = undefined;
    if (cluster.stable) cluster.stable.replicas = 2;
    cluster.pass(2);
    const { run } = await open(cluster, "last");
    await run.recover("take back");
    const told = `seed ${seed}: ${JSON.stringify({ statuses: statuses(cluster), seen: cluster.observe(), objects: [...cluster.objects] })}`;
    isWhole(cluster, told);
    assert.equal(cluster.wrongs, [], told);
    assert.ok(isClean(cluster), told);
    const live = run.live;
    assert.is(cluster.stable?.release, live?.number, told);
    assert.is(openRelease([...cluster.records.values()]), undefined, told);
    if (live) {
      assert.ok(cluster.observe().stable?.complete, told);
      lives += 1;
    } else broken += 1;
  }
  assert.ok(lives > 250, `${lives} ended with a live release`);
  assert.ok(broken > 3, `${broken} ended with nothing, since the first release failed`);
});

test("aborts_from_any_state", async () => {
  for (let seed = 1; seed <= 500; seed++) {
    const random = generator(seed);
    const cluster = served();
    await unlessDead(async () => {
      await deploy(await open(cluster, "a", random, { ...CALM, kill: 60 }));
    });
    const before = cluster.stable?.release;
    const { run } = await open(cluster, "b");
    await run.recover("take back", "aborted", "somebody aborted it");
    const told = `seed ${seed}: ${JSON.stringify(statuses(cluster))}`;
    assert.ok(isClean(cluster), told);
    assert.ok(cluster.stable?.release === 1 || before === 2, told);
    assert.equal(cluster.wrongs, [], told);
  }
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
