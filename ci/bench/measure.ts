import { readFile, readdir } from "node:fs/promises";

/** One line of a table: what was measured, what it gave, what it should give. */
export interface Row {
  readonly what: string;
  readonly value: string;
  /** Absent where there is none. */
  readonly goal?: string;
  readonly met?: boolean;
}

/** A table with a heading, and how it was measured. */
export interface Section {
  readonly title: string;
  readonly how: string;
  readonly rows: readonly Row[];
}

/** Milliseconds that `work` takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

/** `0.43 s` or `27 ms`. */
export function shown(milliseconds: number): string {
  return milliseconds < 1000
    ? `${milliseconds.toFixed(milliseconds < 10 ? 1 : 0)} ms`
    : `${(milliseconds / 1000).toFixed(2)} s`;
}

/** A value that is good when it is small. */
export function atMost(what: string, value: number, goal: number, show = shown): Row {
  return { what, value: show(value), goal: `≤ ${show(goal)}`, met: value <= goal };
}

/** A value that is good when it is large. */
export function atLeast(what: string, value: number, goal: number, show: typeof shown): Row {
  return { what, value: show(value), goal: `≥ ${show(goal)}`, met: value >= goal };
}

export const ratio = (value: number): string => value.toFixed(2);
export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

/** Processes that this one started whose command line holds `text`. */
async function childrenWith(text: string): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const [command, status] = await Promise.all([
        readFile(`/proc/${name}/cmdline`, "utf8"),
        readFile(`/proc/${name}/status`, "utf8"),
      ]);
      const parent = Number(/^PPid:\s+(\d+)$/m.exec(status)?.[1]);
      if (parent === process.pid && command.includes(text)) found.push(Number(name));
    } catch {
      // It ended meanwhile.
    }
  }
  return found;
}

/** The most memory that the engine of this process has held so far, in bytes. */
export async function enginePeak(): Promise<number> {
  const [pid] = await childrenWith("ci/engine/start.mjs");
  if (pid === undefined) throw new Error("The engine does not run.");
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}
