import { normalAbove } from "./special.js";

/** Up to so many values on each side the distribution is counted; above, it is near enough to normal. */
const COUNTED = 20;

/** What a test of Mann and Whitney found. */
export interface RankTest {
  /** Pairs in which the first is greater; a tie is half a pair. */
  readonly u: number;
  /** One-sided p of "the first is not the greater". */
  readonly p: number;
  /** Probability that one of the first is greater than one of the second (Vargha and Delaney's A). */
  readonly superiority: number;
}

/**
 * Mann and Whitney's U test: exact for few values without ties, otherwise the normal approximation
 * with corrections for ties and continuity. Infinite values are allowed and are ties with each other.
 */
export function mannWhitney(first: readonly number[], second: readonly number[]): RankTest {
  const [n, m] = [first.length, second.length];
  if (n === 0 || m === 0) return { u: 0, p: 1, superiority: 0.5 };
  const { rankSum, ties } = ranks(first, second);
  const u = rankSum - (n * (n + 1)) / 2;
  const p = ties === 0 && n <= COUNTED && m <= COUNTED ? countedP(u, n, m) : normalP(u, n, m, ties);
  return { u, p, superiority: u / (n * m) };
}

/** Sum of the first's ranks among all, and the sum of t³ - t over groups of t equal values. */
function ranks(
  first: readonly number[],
  second: readonly number[],
): { readonly rankSum: number; readonly ties: number } {
  const all = [
    ...first.map((value) => ({ value, own: true })),
    ...second.map((value) => ({ value, own: false })),
    // Not a - b: two infinities are equal.
  ].sort((a, b) => (a.value < b.value ? -1 : a.value > b.value ? 1 : 0));
  let [rankSum, ties] = [0, 0];
  for (let start = 0; start < all.length;) {
    let end = start;
    let own = 0;
    while (end < all.length && all[end]?.value === all[start]?.value) {
      if (all[end]?.own) own++;
      end++;
    }
    const size = end - start;
    rankSum += own * (start + (size + 1) / 2);
    ties += size ** 3 - size;
    start = end;
  }
  return { rankSum, ties };
}

function normalP(u: number, n: number, m: number, ties: number): number {
  const total = n + m;
  const variance = ((n * m) / 12) * (total + 1 - ties / (total * (total - 1)));
  if (variance <= 0) return 1;
  return normalAbove((u - (n * m) / 2 - 0.5) / Math.sqrt(variance));
}

/** By the number of arrangements with each U: the coefficients of a Gaussian binomial. */
function countedP(u: number, n: number, m: number): number {
  const size = n * m;
  const ways = Array<number>(size + 1).fill(0);
  ways[0] = 1;
  for (let i = 1; i <= n; i++) {
    for (let k = size; k >= m + i; k--) ways[k] = (ways[k] ?? 0) - (ways[k - m - i] ?? 0);
    for (let k = i; k <= size; k++) ways[k] = (ways[k] ?? 0) + (ways[k - i] ?? 0);
  }
  const all = ways.reduce((sum, count) => sum + count, 0);
  const above = ways.slice(Math.ceil(u)).reduce((sum, count) => sum + count, 0);
  return Math.min(1, above / all);
}
