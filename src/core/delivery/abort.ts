import { openRelease } from "./release.js";
import { digestOf } from "./rollback.js";
import type { ReleaseRecord } from "./types.js";

/** What of all that may be under way is to be ended; without any of these, whatever it is. */
export interface Abortable {
  /** Only what this run is at. */
  readonly run?: string | undefined;
  /** Only what is of this image: its digest, or the reference by it. */
  readonly digest?: string | undefined;
  /** Not a canary that waits for somebody. */
  readonly keepWaiting?: boolean | undefined;
}

/**
 * What becomes of a canary that waits: a run that is ended by its id takes back what it began, and a
 * canary that waited before is not of it, whoever has the lease.
 */
export function waitingCanary({ run }: Abortable): "leave" | "take back" {
  return run === undefined ? "take back" : "leave";
}

/**
 * Why nothing is to be ended; undefined when something is.
 *
 * @param holder Who has the lease.
 */
export function leftAlone(
  records: readonly ReleaseRecord[],
  holder: string,
  { run, digest, keepWaiting = false }: Abortable,
): string | undefined {
  const open = openRelease(records);
  const isOfRun = open?.status === "pending" && open.run === run;
  if (run !== undefined && !isOfRun && !holder.endsWith(`(${run})`))
    return `the run ${run} has nothing under way`;
  const wanted = digest?.slice(digest.indexOf("@") + 1);
  if (wanted !== undefined && (!open || digestOf(open) !== wanted))
    return `nothing of ${wanted} is under way or waits`;
  if (keepWaiting && open?.status === "waiting")
    return `the canary of release ${open.number} waits for somebody`;
  return undefined;
}
