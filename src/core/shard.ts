/** One part of the tests: the `index`-th (from 1) of `total`. */
export interface Shard {
  readonly index: number;
  readonly total: number;
}

/** Reads `i/n` with 1 ≤ i ≤ n ≤ 1000; undefined when it is something else. */
export function parseShard(text: string): Shard | undefined {
  const match = /^([1-9]\d{0,3})\/([1-9]\d{0,3})$/.exec(text);
  const [index, total] = [Number(match?.[1]), Number(match?.[2])];
  return match && index <= total && total <= 1000 ? { index, total } : undefined;
}
