import type { Outcome } from "./types.js";

/** Seconds until an analysis that errored is made again. */
const ERROR_PAUSE = 10;

/** So many errors in a row end the attempts. */
const MOST_ERRORS = 4;

/** What follows on the outcomes of one step so far. */
export type Next =
  | { readonly kind: "measure"; readonly seconds: number }
  | { readonly kind: "done"; readonly outcome: Outcome };

/**
 * Whether to measure again: an analysis that errored says nothing, so it is repeated after 10 s, at most
 * until four in a row have. Of errors alone the outcome is `errored`, which is never success.
 *
 * @param outcomes All so far, the first first.
 */
export function nextMeasurement(outcomes: readonly Outcome[]): Next {
  const last = outcomes.at(-1);
  if (last === undefined) return { kind: "measure", seconds: 0 };
  if (last !== "errored") return { kind: "done", outcome: last };
  const before = outcomes.toReversed().findIndex((outcome) => outcome !== "errored");
  const inARow = before < 0 ? outcomes.length : before;
  return inARow >= MOST_ERRORS
    ? { kind: "done", outcome: "errored" }
    : { kind: "measure", seconds: ERROR_PAUSE };
}
