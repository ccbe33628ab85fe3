import { SlipwayError } from "../errors.js";
import { openRelease } from "./release.js";
import { digestOf } from "./rollback.js";
import type { Observation, ReleaseRecord } from "./types.js";

/**
 * The release whose canary waits to be promoted.
 *
 * @param digest The image that somebody said yes to; undefined for whatever waits.
 * @throws SlipwayError USAGE when nothing waits, or what waits is another image, too old, or not as it
 *   was when it was judged.
 */
export function promotable(
  records: readonly ReleaseRecord[],
  seen: Observation,
  digest: string | undefined,
  now: Date,
): ReleaseRecord {
  const waiting = openRelease(records);
  if (waiting?.status !== "waiting")
    throw refused("no canary waits to be promoted. `slipway deploy-canary` makes one");
  const { number } = waiting;
  const wanted = digest?.slice(digest.indexOf("@") + 1);
  if (wanted !== undefined && wanted !== digestOf(waiting))
    throw refused(
      `release ${number} waits with ${digestOf(waiting)}, not with ${wanted}. Look at \`slipway status\`, then promote that one or abort it`,
    );
  const since = waiting.waitingAt ?? waiting.startedAt;
  const hours = (now.getTime() - Date.parse(since)) / 3_600_000;
  const { maxAge } = waiting.config;
  if (!(hours <= maxAge))
    throw refused(
      `the canary of release ${number} waits since ${since}, longer than ${maxAge} hours (deploy.maxAge). Abort it and deploy again`,
    );
  const { canary } = seen;
  if (canary?.release !== number)
    throw refused(
      `the canary of release ${number} is not there any more. Abort it and deploy again`,
    );
  if (canary.image !== waiting.reference)
    throw refused(
      `the canary of release ${number} runs ${canary.image}, not the verified ${waiting.reference}. Abort it and deploy again`,
    );
  if (canary.generation !== waiting.generation)
    throw refused(
      `somebody changed the canary of release ${number} since it was judged (generation ${canary.generation}, not ${waiting.generation ?? 0}). Abort it and deploy again`,
    );
  return waiting;
}

function refused(why: string): SlipwayError {
  return new SlipwayError("USAGE", `Nothing was promoted: ${why}.`);
}
