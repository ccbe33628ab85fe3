import {
  betaCdf,
  binomialAtLeast,
  bisect,
  logChoose,
  normalAbove,
  normalQuantile,
} from "./special.js";

/** So many of so many. */
export interface Count {
  readonly hits: number;
  readonly of: number;
}

/**
 * Clopper and Pearson's exact bounds of a proportion, each one-sided: the true proportion is below
 * `lower` in at most 1 - confidence of all samples, and above `upper` in as many.
 */
export function clopperPearson(
  { hits, of }: Count,
  confidence: number,
): { readonly lower: number; readonly upper: number } {
  const alpha = 1 - confidence;
  return {
    lower: hits <= 0 ? 0 : bisect((p) => betaCdf(p, hits, of - hits + 1) >= alpha, 0, 1),
    upper: hits >= of ? 1 : bisect((p) => betaCdf(p, hits + 1, of - hits) >= confidence, 0, 1),
  };
}

/** How sure it is that a proportion is greater than `limit` (exact binomial test): 1 - p. */
export function confidenceAbove({ hits, of }: Count, limit: number): number {
  return of === 0 ? 0 : 1 - binomialAtLeast(hits, of, limit);
}

/** One-sided p of Fisher's exact test, of "`first` is not the greater proportion". */
export function fisherExact(first: Count, second: Count): number {
  const hits = first.hits + second.hits;
  const total = first.of + second.of;
  const most = Math.min(hits, first.of);
  const all = logChoose(total, hits);
  let p = 0;
  for (let k = first.hits; k <= most; k++)
    p += Math.exp(logChoose(first.of, k) + logChoose(second.of, hits - k) - all);
  return Math.min(1, p);
}

/** Wilson's score bounds of a proportion, each one-sided. */
function wilson(
  { hits, of }: Count,
  z: number,
): { readonly lower: number; readonly upper: number } {
  const p = hits / of;
  const middle = p + (z * z) / (2 * of);
  const half = z * Math.sqrt((p * (1 - p)) / of + (z * z) / (4 * of * of));
  const scale = 1 + (z * z) / of;
  return {
    lower: hits === 0 ? 0 : Math.max(0, (middle - half) / scale),
    upper: hits === of ? 1 : Math.min(1, (middle + half) / scale),
  };
}

/** Lower, one-sided bound of the difference first - second (Newcombe's hybrid score interval). */
export function newcombeLower(first: Count, second: Count, confidence: number): number {
  return differenceAbove(first, second, normalQuantile(confidence));
}

/** How sure it is that first - second is more than `margin`, by the same interval; 0 below one half. */
export function confidenceOfDifference(first: Count, second: Count, margin: number): number {
  const isBelow = (z: number): boolean => differenceAbove(first, second, z) <= margin;
  return isBelow(0) ? 0 : 1 - normalAbove(bisect(isBelow, 0, 6, 1e-6));
}

function differenceAbove(first: Count, second: Count, z: number): number {
  if (first.of === 0 || second.of === 0) return -1;
  const [a, b] = [first.hits / first.of, second.hits / second.of];
  const below = a - wilson(first, z).lower;
  const above = wilson(second, z).upper - b;
  return a - b - Math.hypot(below, above);
}

/** The least rate that so many requests would show with 90 % probability, were it above `limit` by it. */
export function detectableRate(of: number, limit: number, confidence: number): number {
  if (of === 0) return 1;
  // The fewest hits that are proof.
  const needed = bisectWhole((k) => confidenceAbove({ hits: k, of }, limit) >= confidence, 1, of);
  return bisect((rate) => binomialAtLeast(needed, of, rate) >= 0.9, limit, 1);
}

/** The least whole number from low to high of which a condition holds; `high` when of none. */
function bisectWhole(isTrue: (value: number) => boolean, low: number, high: number): number {
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (isTrue(middle)) high = middle;
    else low = middle + 1;
  }
  return high;
}
