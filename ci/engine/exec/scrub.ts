const MASK = Buffer.from("***");
/** Shorter lines ("{", "-", "true") of a secret with several lines say nothing, and hide everything. */
const SHORTEST_LINE = 8;

/**
 * Replaces secrets in a stream of chunks by `***`, also where a secret is split over chunks. What may be the
 * beginning of a secret is held back until the next chunk, or the end, decides. The longest match wins.
 */
export class Scrubber {
  private readonly patterns: readonly Buffer[];
  private held = Buffer.alloc(0);

  constructor(secrets: readonly Buffer[]) {
    this.patterns = patternsOf(secrets);
  }

  /** What of the stream so far is safe to show, after what was returned before. */
  push(chunk: Buffer): Buffer {
    if (this.patterns.length === 0) return chunk;
    return this.scrub(this.held.length === 0 ? chunk : Buffer.concat([this.held, chunk]), false);
  }

  /** The rest. */
  end(): Buffer {
    return this.scrub(this.held, true);
  }

  private scrub(data: Buffer, last: boolean): Buffer {
    const out: Buffer[] = [];
    let from = 0;
    let undecided = last ? data.length : this.undecidedFrom(data, 0);
    for (;;) {
      const match = this.firstMatch(data, from);
      if (match === undefined || match.at >= undecided) break;
      out.push(data.subarray(from, match.at), MASK);
      from = match.at + match.length;
      if (undecided < from) undecided = last ? data.length : this.undecidedFrom(data, from);
    }
    out.push(data.subarray(from, undecided));
    this.held = Buffer.from(data.subarray(undecided));
    return Buffer.concat(out);
  }

  private firstMatch(data: Buffer, from: number): { at: number; length: number } | undefined {
    let best: { at: number; length: number } | undefined;
    // Longest first: at the same place the first one found stays.
    for (const pattern of this.patterns) {
      const at = data.indexOf(pattern, from);
      if (at >= 0 && (best === undefined || at < best.at)) best = { at, length: pattern.length };
    }
    return best;
  }

  /** The first place from which everything up to the end is the beginning of a secret. */
  private undecidedFrom(data: Buffer, from: number): number {
    let first = data.length;
    for (const pattern of this.patterns) {
      let at = Math.max(from, data.length - pattern.length + 1);
      for (;;) {
        at = data.indexOf(pattern[0] ?? 0, at);
        if (at < 0 || at >= first) break;
        if (data.subarray(at).equals(pattern.subarray(0, data.length - at))) {
          first = at;
          break;
        }
        at++;
      }
    }
    return first;
  }
}

/** A secret is hidden as it is, without surrounding blanks, and line by line. */
function patternsOf(secrets: readonly Buffer[]): Buffer[] {
  const unique = new Map<string, Buffer>();
  const add = (pattern: Buffer): void => {
    if (pattern.length > 0) unique.set(pattern.toString("latin1"), pattern);
  };
  for (const secret of secrets) {
    add(secret);
    const text = secret.toString("latin1");
    add(Buffer.from(text.trim(), "latin1"));
    for (const line of text.trim().split(/\r?\n/)) {
      if (line.trim().length >= SHORTEST_LINE) add(Buffer.from(line.trim(), "latin1"));
    }
  }
  return [...unique.values()].sort((a, b) => b.length - a.length);
}
