// Whole deployments in the simulated cluster, and what has to hold of it when they have ended.
import * as assert from "uvu/assert";

import { HalfDone, replace, rollOut, type Ended } from "../../../src/core/delivery/process.js";
import { promotable } from "../../../src/core/delivery/approval.js";
import { refuseOccupied, stillNothingToCompare } from "../../../src/core/delivery/comparison.js";
import { Run } from "../../../src/core/delivery/run.js";
import { stepsOf } from "../../../src/core/delivery/steps.js";
import type { ReleaseRecord } from "../../../src/core/delivery/types.js";
import { LeaseLost, Refused } from "../../../src/core/delivery/world.js";
import { generator, type Generator } from "../random.js";
import { objectOf, releaseOf } from "./releases.js";
import { Away, CALM, Cluster, Killed, SimulatedWorld, type Faults } from "./simulation.js";

const { config } = releaseOf(1);

/** A release with settings as each has them, and an object that no other has. */
export function candidate(number: number, more: Partial<ReleaseRecord> = {}): ReleaseRecord {
  const release = releaseOf(number, more);
  const own = [objectOf("ConfigMap", "settings"), objectOf("ConfigMap", `only-${number}`)];
  return { ...release, objects: [...release.objects, ...own] };
}

/** Objects of a release as they are when it serves alone. */
export const objectsOf = (number: number): Record<string, number> => ({
  settings: number,
  [`only-${number}`]: number,
});
export const STEPS = stepsOf(config, 2);

/** A cluster in which release 1 is live. */
export function served(): Cluster {
  const cluster = new Cluster();
  cluster.stable = {
    ...{ release: 1, image: releaseOf(1).reference, replicas: 2, generation: 1, since: 0 },
    ready: new Map([[1, 2]]),
  };
  cluster.records.set(1, candidate(1, { status: "live" }));
  for (const [name, number] of Object.entries(objectsOf(1))) cluster.objects.set(name, number);
  return cluster;
}

export interface Opened {
  readonly run: Run;
  readonly world: SimulatedWorld;
}

/** A run that has the lease by now, and sees what is there. */
export async function open(
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

export async function deploy({ run, world }: Opened, stop?: number): Promise<Ended> {
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
export async function promote({ run, world }: Opened): Promise<Ended> {
  await run.recover("leave");
  const waiting = promotable(run.records, run.seen, undefined, world.date());
  const alone = await stillNothingToCompare(run);
  const done = alone === undefined ? waiting.steps.length : STEPS.length;
  const ended = await rollOut(run, waiting, { steps: STEPS, done });
  await world.flush();
  return ended;
}

export const statuses = (cluster: Cluster): Record<number, string> =>
  Object.fromEntries([...cluster.records].map(([number, { status }]) => [number, status]));

export function isClean(cluster: Cluster): boolean {
  return !cluster.canary && !cluster.service && cluster.weight === 0 && !cluster.exposed;
}

/** Beside the stable Deployment are the live release's objects, and none that only one has that never served. */
export function isWhole(cluster: Cluster, told = ""): void {
  const records = [...cluster.records.values()];
  const live = records.findLast(({ status }) => status === "live");
  const wanted = live ? objectsOf(live.number) : {};
  for (const [name, number] of Object.entries(wanted))
    assert.is(cluster.objects.get(name), number, `${name}: ${told}`);
  for (const { number, status } of records)
    if (status === "failed" || status === "aborted")
      assert.not.ok(cluster.objects.has(`only-${number}`), `only-${number}: ${told}`);
}

/** The stable release's pods crash from now on. */
export function fall(cluster: Cluster): void {
  if (!cluster.stable) return;
  cluster.broken.add(cluster.stable.release);
  cluster.stable.ready.clear();
}

export async function unlessDead(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (thrown) {
    const error = thrown instanceof HalfDone ? thrown.cause : thrown;
    const kinds = [Killed, Away, LeaseLost, Refused];
    if (!kinds.some((kind) => error instanceof kind)) throw error;
  }
}
