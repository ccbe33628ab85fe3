import { binomialAtLeast, bisect } from "./special.js";

/** In rising order; infinite values last. */
export function sorted(values: readonly number[]): number[] {
  return [...values].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

/** The least value that a share `p` of all does not exceed; NaN of nothing. */
export function quantile(ordered: readonly number[], p: number): number {
  return ordered[Math.max(0, Math.ceil(p * ordered.length) - 1)] ?? NaN;
}

/**
 * One-sided bounds of a quantile by order statistics: exact for any distribution. Without enough
 * values there is no bound: -Infinity, Infinity.
 */
export function quantileBounds(
  ordered: readonly number[],
  p: number,
  confidence: number,
): { readonly lower: number; readonly upper: number } {
  const n = ordered.length;
  const alpha = 1 - confidence;
  // The r-th value is above the quantile when fewer than r are at or below it, and so on.
  let lower = -Infinity;
  let upper = Infinity;
  let [low, high] = [0, n];
  // The greatest r with P(at most r - 1 below the quantile) <= alpha.
  while (low < high) {
    const r = Math.ceil((low + high) / 2);
    if (1 - binomialAtLeast(r, n, p) <= alpha) low = r;
    else high = r - 1;
  }
  if (low >= 1) lower = ordered[low - 1] ?? -Infinity;
  [low, high] = [1, n + 1];
  // The least r with P(at least r below the quantile) <= alpha.
  while (low < high) {
    const r = Math.floor((low + high) / 2);
    if (binomialAtLeast(r, n, p) <= alpha) high = r;
    else low = r + 1;
  }
  if (low <= n) upper = ordered[low - 1] ?? Infinity;
  return { lower, upper };
}

/** Values that are needed for an upper bound of a quantile. */
export function neededFor(p: number, confidence: number): number {
  return Math.ceil(Math.log(1 - confidence) / Math.log(p));
}

/**
 * How sure it is that the first's quantile is above the second's by more than `margin`: the greatest
 * confidence at which the bounds of both, each with half of the error, are that far apart.
 */
export function confidenceApart(
  first: readonly number[],
  second: readonly number[],
  p: number,
  margin: number,
): number {
  const areApart = (confidence: number): boolean => {
    const each = 1 - (1 - confidence) / 2;
    const { lower } = quantileBounds(first, p, each);
    const { upper } = quantileBounds(second, p, each);
    return Number.isFinite(upper) && lower > upper + margin;
  };
  if (!areApart(0)) return 0;
  return 1 - bisect((alpha) => areApart(1 - alpha), 1e-6, 1, 1e-6);
}
