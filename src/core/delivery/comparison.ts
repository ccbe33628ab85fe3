import { SlipwayError } from "../errors.js";
import { portsApart, portsLost, type Lost } from "./ports.js";
import type { Run } from "./run.js";
import type { Observation, ReleaseRecord } from "./types.js";

/** Seconds in which pods that are not ready for a moment come back. */
const MOMENT = 15;

/** Why nothing can be compared with the live release; undefined when one of its pods answers. */
export function nothingToCompare(
  live: number,
  { stable }: Pick<Observation, "stable">,
): string | undefined {
  if ((stable?.available ?? 0) > 0) return undefined;
  const why = stable?.trouble ? ` (${stable.trouble.why})` : "";
  return `no pod of release ${live} is ready${why}, so there is nothing to compare it with, and its requests find nobody`;
}

/** How a release comes to take the place of the live one, by what both are. */
export interface Passage {
  /** Why it goes without a canary; undefined when it has one. */
  readonly noCanary?: string | undefined;
  /** Requests that would fail for it, which refuses it. */
  readonly lost?: Lost | undefined;
}

/**
 * How a release comes to take the place of the live one.
 *
 * @param alone Why nothing can be compared with the live release, as `nothingToCompare` says it.
 */
export function passage(
  live: ReleaseRecord | undefined,
  release: ReleaseRecord,
  alone: string | undefined,
): Passage {
  const why = apart(live, release) ?? alone;
  // Where no pod serves, no request can be lost by a port.
  const lost =
    alone === undefined && live ? portsLost(live, release, why === undefined) : undefined;
  return { noCanary: why, lost };
}

/** Why a release cannot have a canary beside the live one. */
function apart(live: ReleaseRecord | undefined, release: ReleaseRecord): string | undefined {
  if (!live) return "it is the first one, there is nothing to compare it with";
  const had = live.config.route.gateway !== undefined;
  const has = release.config.route.gateway !== undefined;
  if (had !== has)
    return "requests come another way from now on (deploy.route.gateway), so no weights can be given";
  return portsApart(live, release);
}

/** Why nothing can be compared, once pods that may come back have had a moment for it. */
export async function stillNothingToCompare(run: Run): Promise<string | undefined> {
  const { live, world } = run;
  if (!live) return undefined;
  const end = world.now() + MOMENT;
  for (;;) {
    const { stable } = run.seen;
    const why = nothingToCompare(live.number, run.seen);
    const isSure = !stable || (stable.trouble?.certain ?? false) || world.now() >= end;
    if (why === undefined || isSure) return why;
    await run.act({ do: "await", track: "stable" }, live);
  }
}

/**
 * Sees to it that a canary can be put up beside a live release that does not serve: not where another one
 * answers the requests, which would find nobody without it.
 *
 * @param alone Why nothing can be compared with the live release.
 * @throws SlipwayError USAGE when there is such a canary.
 */
export function refuseOccupied({ canary, weight, exposed }: Observation, alone: string): void {
  if ((weight === 0 && !exposed) || (canary?.available ?? 0) === 0) return;
  throw new SlipwayError(
    "USAGE",
    `Nothing was changed: ${alone}, but for a canary of release ${canary?.release ?? 0} that no run is at any more, in whose place no other can wait. \`slipway deploy\` or \`slipway rollback\` puts a release that serves in place of both.`,
  );
}
