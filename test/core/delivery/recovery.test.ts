// Runs that are cut off anywhere, in a simulated cluster in which everything goes wrong that can.
import { suite } from "uvu";
import * as assert from "uvu/assert";

import { replace } from "../../../src/core/delivery/process.js";
import { openRelease } from "../../../src/core/delivery/release.js";
import { LeaseLost } from "../../../src/core/delivery/world.js";
import { generator, type Generator } from "../random.js";
import {
  candidate,
  served,
  open,
  deploy,
  statuses,
  isClean,
  isWhole,
  unlessDead,
  type Opened,
} from "./deployments.js";
import { releaseOf } from "./releases.js";
import { CALM, Cluster } from "./simulation.js";

const test = suite("delivery, recovery");

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

test.run();
