import { SlipwayError } from "../errors.js";
import { nearest } from "../nearest.js";
import { liveRelease, openRelease } from "./release.js";
import type { ReleaseRecord } from "./types.js";

/**
 * The release to go back to.
 *
 * @param target A release's number (`12` or `v12`), else an image's digest or a tag; without one, the last
 *   release that served before the live one and was not taken back itself.
 * @throws SlipwayError USAGE when there is none, it never served, it is live already, or the live one
 *   says that it cannot be taken back.
 */
export function rollbackTarget(
  records: readonly ReleaseRecord[],
  target: string | undefined,
): ReleaseRecord {
  const live = liveRelease(records);
  const found = target === undefined ? before(records, live) : named(records, target);
  if (found.number === live?.number || (live && isSame(found, live)))
    throw new SlipwayError(
      "USAGE",
      `Nothing was rolled back: release ${found.number} (${shortReference(found)}) is what is live${found.number === live.number ? "" : ` as release ${live.number}`}. ${known(records)}`,
    );
  const stops = records.filter(
    ({ number, kind, status, config }) =>
      number > found.number &&
      // It brought an older release back, with what that one said of itself.
      kind !== "rollback" &&
      config.irreversible !== undefined &&
      (status === "live" || status === "superseded"),
  );
  const [stop] = stops;
  if (stop)
    throw new SlipwayError(
      "USAGE",
      `Nothing was rolled back: release ${stop.number} says that it cannot be taken back: ${stop.config.irreversible ?? ""} (deploy.irreversible). Undo that by hand, or go forward with a new release.`,
    );
  return found;
}

/**
 * Sees to it that a release that is watched still serves, and nothing is on its way: what came meanwhile
 * may be what helps, and is nothing that a watch of this one can judge.
 *
 * @param failed Whether it failed, and is to be gone back from.
 * @throws SlipwayError USAGE when it does not.
 */
export function refuseOvertaken(
  records: readonly ReleaseRecord[],
  watched: number,
  failed: boolean,
): void {
  const live = liveRelease(records);
  const open = openRelease(records);
  if (live?.number === watched && !open) return;
  const why = open
    ? `release ${open.number} is on its way (${open.status}${open.why === undefined ? "" : `: ${open.why}`}). ${failed ? "Promote it or abort it" : "Watch again when it is over"}`
    : `release ${live?.number ?? 0} is live by now. ${failed ? "Look at `slipway status`" : "Watch that one"}`;
  throw new SlipwayError(
    "USAGE",
    failed
      ? `Nothing was rolled back: release ${watched} failed while it was watched, but ${why}.`
      : `Release ${watched} is not watched any more: ${why}.`,
  );
}

/** Whether to go from one to the other would change nothing. */
export function isSame(one: ReleaseRecord, other: ReleaseRecord): boolean {
  return (
    digestOf(one) === digestOf(other) &&
    one.model?.uri === other.model?.uri &&
    withoutNumber(one) === withoutNumber(other)
  );
}

/** What is applied, but for what numbers it: two releases of the same differ there alone. */
function withoutNumber({ objects }: ReleaseRecord): string {
  return JSON.stringify(objects, (key, value: unknown) =>
    key.startsWith("slipway.dev/") ? undefined : value,
  );
}

function before(records: readonly ReleaseRecord[], live: ReleaseRecord | undefined): ReleaseRecord {
  // A rollback brought an older one back: what it went over is no way back.
  const from = live?.kind === "rollback" ? (live.of ?? live.number) : live?.number;
  const found = records.findLast(
    (each) =>
      each.status === "superseded" &&
      each.number < (from ?? Infinity) &&
      !(live && isSame(each, live)),
  );
  if (found) return found;
  throw new SlipwayError(
    "USAGE",
    `Nothing was rolled back: there is no release that served before ${live ? `release ${live.number}` : "this one"}. ${known(records)}`,
  );
}

function named(records: readonly ReleaseRecord[], target: string): ReleaseRecord {
  const number = /^v?(\d+)$/.exec(target)?.[1];
  // Of a number and a tag that read the same, the number is meant: a tag has a digest, too.
  const numbered = records.filter((each) => number !== undefined && each.number === Number(number));
  const matches =
    numbered.length > 0
      ? numbered
      : records.filter(
          (each) => digestOf(each) === target || each.reference === target || each.tag === target,
        );
  const good = matches.findLast(({ status }) => SERVED.has(status));
  if (good) return good;
  const [bad] = matches;
  if (bad)
    throw new SlipwayError(
      "USAGE",
      `Nothing was rolled back: release ${bad.number} never served (${bad.status}${bad.why === undefined ? "" : `: ${bad.why}`}). ${known(records)}`,
    );
  const close = nearest(
    target,
    records.flatMap(({ tag }) => (tag === undefined ? [] : [tag])),
  );
  throw new SlipwayError(
    "USAGE",
    `Nothing was rolled back: no release is "${target}"${close === undefined ? "" : `; did you mean "${close}"?`} It is a release's number, a tag, or a digest. ${known(records)}`,
  );
}

const SERVED = new Set<ReleaseRecord["status"]>(["live", "superseded", "rolled-back"]);

function known(records: readonly ReleaseRecord[]): string {
  const good = records.filter(({ status }) => SERVED.has(status)).slice(-5);
  if (good.length === 0) return "No release is recorded that served.";
  const list = good.map(
    (each) => `${each.number} (${each.tag ?? shortReference(each)}, ${each.status})`,
  );
  return `Releases that served: ${list.join(", ")}.`;
}

/** The digest in a release's reference. */
export function digestOf({ reference }: Pick<ReleaseRecord, "reference">): string {
  return reference.slice(reference.indexOf("@") + 1);
}

/** `team/service@sha256:0a0a0a0a0a0a` */
function shortReference({ reference }: Pick<ReleaseRecord, "reference">): string {
  return reference.replace(/^[^/]*\//, "").replace(/(sha256:[0-9a-f]{12})[0-9a-f]*$/, "$1");
}
