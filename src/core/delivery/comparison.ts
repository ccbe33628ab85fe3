import type { Run } from "./run.js";
import type { Observation } from "./types.js";

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

/** The same once pods that may come back have had a moment for it. */
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
