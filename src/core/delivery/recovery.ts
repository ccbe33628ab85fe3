import type { Goal } from "./rollout.js";
import { liveRelease, openRelease } from "./release.js";
import type { Observation, ReleaseRecord, Status } from "./types.js";

/** What has to be finished before anything new begins. */
export interface Recovery {
  readonly goal: Goal;
  /** The release that was left half done; absent when there is only something to tidy up. */
  readonly release?: ReleaseRecord | undefined;
  /** What becomes of it when the goal is reached. */
  readonly becomes: Status;
  /** For the person: what was found. */
  readonly why: string;
}

/**
 * What a run that ended in the middle left to be done; undefined when all is in order. What became
 * stable is finished, since to take it back would be another change; all else is taken back.
 *
 * @param waiting Whether a canary that waits for somebody is left alone.
 */
export function recovery(
  records: readonly ReleaseRecord[],
  seen: Observation,
  waiting: "leave" | "take back",
): Recovery | undefined {
  const live = liveRelease(records);
  const open = openRelease(records);
  const restore: Goal = { kind: "restore", release: live?.number };
  if (open?.status === "waiting") {
    if (waiting === "leave") return undefined;
    const why = `the canary of release ${open.number} was waiting`;
    return { goal: restore, release: open, becomes: "aborted", why };
  }
  if (open) {
    const why = `the run of release ${open.number} (${open.by}) ended in the middle of it`;
    const mixed = isMixed(open);
    const isThrough = mixed && seen.stable?.release === open.number;
    if (isThrough && seen.stable.complete) {
      const { number: release, replicas } = open;
      const goal: Goal = { kind: "promote", release, replicas, mixed };
      return { goal, release: open, becomes: "live", why };
    }
    return { goal: { ...restore, mixed }, release: open, becomes: "failed", why };
  }
  const stray = seen.leftovers || seen.weight > 0 || seen.exposed;
  if (!stray || live === undefined) return undefined;
  const why = "a canary stands that belongs to no release";
  return { goal: restore, becomes: "failed", why };
}

/** Whether some of a release's objects may have taken the place of those of the stable one. */
export function isMixed({ phase }: ReleaseRecord): boolean {
  return phase !== "canary";
}

/**
 * Whether nothing is left half done though a goal was not reached: its release is stable, and it serves
 * alone, or has no pod that could take the requests of a canary back.
 */
export function isAllThatCanBe(goal: Goal, seen: Observation): boolean {
  const { stable, leftovers, weight, exposed } = seen;
  if (goal.release === undefined || stable?.release !== goal.release) return false;
  const isAlone = !leftovers && weight === 0 && !exposed;
  if (goal.kind === "restore") return isAlone || stable.available === 0;
  return isAlone && stable.complete;
}
