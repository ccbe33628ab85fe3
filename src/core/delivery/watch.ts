import { nextMeasurement } from "../analysis/retry.js";
import type { Outcome } from "../analysis/types.js";

/** What follows on the looks at a live release so far. */
type AfterLook =
  | { readonly do: "look"; readonly seconds: number }
  | { readonly do: "roll back" }
  /** The time is up, and it was well when it was seen last. */
  | { readonly do: "end" }
  /** Nobody knows how it is: what looks did not work. */
  | { readonly do: "give up" };

/**
 * What a watch does next. An error is no answer: a watch that ends with one has not seen that the release is
 * well.
 *
 * @param outcomes Of all looks so far, the first first; at least one.
 * @param isOver Whether the time is up.
 */
export function afterLook(outcomes: readonly Outcome[], isOver: boolean): AfterLook {
  const last = outcomes.at(-1);
  if (last === "failed") return { do: "roll back" };
  const next = nextMeasurement(outcomes);
  if (last === "errored" && (isOver || next.kind === "done")) return { do: "give up" };
  if (isOver) return { do: "end" };
  return { do: "look", seconds: next.kind === "measure" ? next.seconds : 0 };
}
