import type { Analysis } from "../analysis/types.js";
import { nextMeasurement } from "../analysis/retry.js";
import { SlipwayError } from "../errors.js";
import { isMixed } from "./recovery.js";
import type { Run } from "./run.js";
import type { Goal } from "./rollout.js";
import { shareText, type Step } from "./steps.js";
import type { Outcome, ReleaseRecord, Status, StepRecord } from "./types.js";
import { LeaseLost, Stuck } from "./world.js";

/** How a run at a release ended. */
export interface Ended {
  readonly outcome: Outcome;
  readonly release: ReleaseRecord;
  /** States, events and last words of the pods; only of a failure. */
  readonly details?: string | undefined;
  /** Why it could not be taken back either. */
  readonly stuck?: string | undefined;
}

/** How a release comes to the cluster. */
export interface Way {
  readonly steps: readonly Step[];
  /** Steps of it that are done already: of a canary that waited. */
  readonly done: number;
  /** Stop after so many steps, with the canary in place; undefined goes all the way. */
  readonly stop?: number | undefined;
  /** Why there is nothing to compare the canary with: it gets no requests. */
  readonly alone?: string | undefined;
}

/** A release failed and could not be taken back yet: why it failed comes first. */
export class HalfDone extends SlipwayError {
  constructor(
    why: string,
    override readonly cause: unknown,
  ) {
    const message = cause instanceof Error ? cause.message : String(cause);
    super("DELIVERY", `${why}\nIt was not taken back either, which the next run does: ${message}`);
  }
}

/**
 * Brings a release to the cluster by a canary: a step after the other, each analysed, then all of it.
 * Whatever fails takes it back.
 */
export async function rollOut(run: Run, begun: ReleaseRecord, way: Way): Promise<Ended> {
  // What it waited for, if it did, is no longer so.
  let release: ReleaseRecord = { ...begun, status: "pending", phase: "canary", why: undefined };
  run.save(release);
  return await guarded(
    run,
    () => release,
    async () => {
      const { steps, done, stop = steps.length, alone } = way;
      const [first] = steps;
      if (done === 0 && first) await smoke(run, release, first, alone !== undefined);
      for (const [index, step] of steps.entries()) {
        if (index < done || index >= stop) continue;
        const { record, complaint } = await reach(run, release, step);
        // What was measured stays on record, also of what is taken back for it.
        release = { ...release, steps: [...release.steps, record] };
        run.save(release);
        if (complaint !== undefined) throw new Stuck(complaint);
        if (record.analysis?.outcome === "inconclusive")
          return wait(run, release, record.analysis.why);
      }
      if (alone !== undefined)
        return wait(run, release, `${alone}. \`slipway promote\` gives it all requests at once`);
      if (way.stop !== undefined)
        return wait(run, release, "it waits for `slipway promote` or `slipway abort`");
      release = { ...release, phase: "promoting" };
      run.save(release);
      const { number, replicas } = release;
      run.world.say(`promoting release ${number}: all requests go to it, then it becomes stable`);
      await run.pursue({ kind: "promote", release: number, replicas }, release);
      return { outcome: "done", release: await run.finish(release) };
    },
  );
}

/** Brings a release to the cluster without a canary: the first one, and a rollback. */
export async function replace(run: Run, first: ReleaseRecord): Promise<Ended> {
  const release: ReleaseRecord = { ...first, status: "pending", phase: "replacing" };
  run.save(release);
  return await guarded(
    run,
    () => release,
    async () => {
      await run.pursue({ kind: "replace", release: release.number }, release);
      return { outcome: "done", release: await run.finish(release) };
    },
  );
}

/** The requests go back to the stable release, the canary is removed, and it is recorded why. */
export async function takeBack(
  run: Run,
  release: ReleaseRecord,
  why: string,
  status: Extract<Status, "failed" | "aborted">,
): Promise<Ended> {
  const { world } = run;
  world.say(`taking release ${release.number} back: ${why}`);
  // Pods are asked before they are gone, and the requests do not wait for it.
  const asked = world.gather(run.seen).catch((error: unknown) => String(error));
  const goal: Goal = { kind: "restore", release: run.live?.number, mixed: isMixed(release) };
  let stuck: string | undefined;
  try {
    await run.pursue(goal, release, asked);
  } catch (error) {
    if (error instanceof LeaseLost) throw error;
    if (!(error instanceof Stuck)) {
      // It is not over, so the next run takes it back; why it failed is not known to that.
      run.save({ ...release, why });
      throw new HalfDone(why, error);
    }
    stuck = error.message;
  }
  run.tidy(release);
  const ended: ReleaseRecord = {
    ...release,
    status,
    why,
    finishedAt: world.date().toISOString(),
  };
  run.save(ended);
  run.forget(ended.config.history);
  return { outcome: "failed", release: ended, details: await asked, stuck };
}

/**
 * Runs it; what fails is taken back, unless somebody else is at it by now. How it ended is recorded
 * with the last thing that the run does.
 */
async function guarded(
  run: Run,
  current: () => ReleaseRecord,
  work: () => Promise<Ended>,
): Promise<Ended> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof LeaseLost) throw error;
    const why = error instanceof Error ? error.message : String(error);
    return await takeBack(run, current(), why, "failed");
  }
}

/** The canary is asked before it gets any request of the world's. */
async function smoke(
  run: Run,
  release: ReleaseRecord,
  { replicas }: Step,
  alone: boolean,
): Promise<void> {
  const { number } = release;
  run.world.say(`starting a canary of release ${number}`);
  const silent = { weight: 0, exposed: false } as const;
  const goal: Goal = { kind: "canary", release: number, replicas, ...silent, alone };
  await run.pursue(goal, release);
  const { ok, why } = await run.world.smoke(release);
  if (!ok) throw new Stuck(`the smoke test of the canary failed: ${why}`);
}

/** One step: the canary gets its share, time passes, and it is judged; with why it cannot go on. */
async function reach(
  run: Run,
  release: ReleaseRecord,
  step: Step,
): Promise<{ readonly record: StepRecord; readonly complaint?: string | undefined }> {
  const { world } = run;
  const { weight, percent, replicas, exposed } = step;
  const goal: Goal = { kind: "canary", release: release.number, replicas, weight, exposed };
  const startedAt = world.date().toISOString();
  await run.pursue(goal, release);
  world.say(`${shareText(step)} of the requests go to release ${release.number}`);
  const end = world.now() + step.pause;
  for (let left = step.pause; left > 0.05; left = end - world.now()) {
    await run.act({ do: "wait", seconds: left, why: "pause" }, release);
    await run.pursue(goal, release);
  }
  const { analysis, complaint } = step.analysis ? await judge(run, release, weight) : {};
  // Between measurements that were repeated it was looked: pods may have ended. Else the next deed looks.
  if (analysis && complaint === undefined) await run.pursue(goal, release);
  const finishedAt = world.date().toISOString();
  return { record: { weight, percent, startedAt, finishedAt, analysis }, complaint };
}

/** Measures until there is an answer; a measurement that did not work is repeated some times. */
async function judge(
  run: Run,
  release: ReleaseRecord,
  weight: number,
): Promise<{ readonly analysis?: Analysis; readonly complaint?: string }> {
  const outcomes: Analysis["outcome"][] = [];
  for (;;) {
    const analysis = await run.world.analyse(release, weight);
    run.world.say(`analysis at ${weight} %: ${analysis.outcome}: ${analysis.why}`);
    outcomes.push(analysis.outcome);
    const next = nextMeasurement(outcomes);
    if (next.kind === "measure") {
      await rest(run, release, next.seconds);
      continue;
    }
    if (next.outcome === "failed")
      return { analysis, complaint: `the analysis at ${weight} % failed: ${analysis.why}` };
    if (next.outcome === "errored")
      return {
        analysis,
        complaint: `the analysis at ${weight} % did not work ${outcomes.length} times: ${analysis.why}`,
      };
    return { analysis };
  }
}

/** Time passes; the lease is kept. */
async function rest(run: Run, release: ReleaseRecord, seconds: number): Promise<void> {
  const end = run.world.now() + seconds;
  for (let left = seconds; left > 0.05; left = end - run.world.now())
    await run.act({ do: "wait", seconds: left, why: "pause" }, release);
}

/** The canary stands; somebody has to decide. */
function wait(run: Run, release: ReleaseRecord, why: string): Ended {
  const { weight, analysis } = release.steps.at(-1) ?? { weight: 0 };
  run.world.say(`release ${release.number} waits at ${weight} %: ${why}`);
  const waiting: ReleaseRecord = {
    ...release,
    status: "waiting",
    why,
    waitingAt: run.world.date().toISOString(),
    generation: run.seen.canary?.generation,
  };
  run.save(waiting);
  const isPaused = analysis?.outcome === "inconclusive";
  return { outcome: isPaused ? "paused" : "done", release: waiting };
}
