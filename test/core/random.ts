/** Reproducible random inputs for property tests. */
export interface Generator {
  /** 0 ≤ n < limit */
  int(limit: number): number;
  pick<T>(values: readonly T[]): T;
  /** Text of up to `length` characters: letters, spaces, quotes, pipes, control and wide characters. */
  text(length: number): string;
}

const ALPHABET = Array.from("abcXYZ019 -_.:/\\|<>&\"'`*#[]()\n\r\t\0\u001b\u0007é語🐍\u202e\ud800");

/** A generator (mulberry32) that gives the same values for the same seed. */
export function generator(seed: number): Generator {
  let state = seed;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const int = (limit: number): number => Math.floor(next() * limit);
  const pick = <T>(values: readonly T[]): T => {
    const value = values[int(values.length)];
    if (value === undefined) throw new Error("nothing to pick from");
    return value;
  };
  return {
    int,
    pick,
    text: (length) => Array.from({ length: int(length + 1) }, () => pick(ALPHABET)).join(""),
  };
}
