import type { CheckState } from "../../src/core/check.js";
import type { Report } from "../../src/core/report/report.js";

/** Something that ran, in milliseconds since 1970. */
export interface Span {
  readonly name: string;
  readonly state: CheckState;
  readonly start: number;
  readonly end: number;
  /** Whether it ran for an earlier call, and its result was kept. */
  readonly cached: boolean;
  /** Names of those that it waited for, as far as the report says. */
  readonly needs: readonly string[];
}

/** A stretch of time in which something ran, and where it lies on an axis from 0 to 1. */
interface Stretch {
  readonly start: number;
  readonly end: number;
  readonly from: number;
  readonly to: number;
}

/** An axis that leaves out the time in which nothing ran. */
export interface Axis {
  readonly stretches: readonly Stretch[];
  /** Where a moment lies, 0 to 1. */
  readonly at: (moment: number) => number;
}

/** Idle time of less than this is drawn as it was. */
const LEAST_GAP_MS = 2000;
/** Share of the axis that idle time which is left out takes. */
const GAP = 0.035;

/** All that ran, in the order in which it began. */
export function spansOf({ checks, steps = [] }: Report): Span[] {
  const own = checks.map((check) => ({ ...check, needs: [] }));
  return [...own, ...steps]
    .flatMap(({ name, state, startedAt, durationMs, cached = false, needs }) => {
      const start = Date.parse(startedAt ?? "");
      if (Number.isNaN(start)) return [];
      return [{ name, state, start, end: start + durationMs, cached, needs }];
    })
    .sort((a, b) => a.start - b.start || b.end - a.end);
}

/**
 * What the end was waiting for: what ended last in this call, and before it what that needed. Checks
 * run side by side and need nothing of each other, so among checks alone it is the last one.
 */
export function criticalPath(spans: readonly Span[]): string[] {
  const fresh = spans.filter(({ cached }) => !cached);
  const byName = new Map(fresh.map((span) => [span.name, span]));
  const path: string[] = [];
  let current = last(fresh);
  while (current && !path.includes(current.name)) {
    path.unshift(current.name);
    current = last(current.needs.flatMap((name) => byName.get(name) ?? []));
  }
  return path;
}

/** Milliseconds from the first beginning to the last end of what ran in this call. */
export function wallClock(spans: readonly Span[]): number {
  const fresh = spans.filter(({ cached }) => !cached);
  if (fresh.length === 0) return 0;
  return Math.max(...fresh.map(({ end }) => end)) - Math.min(...fresh.map(({ start }) => start));
}

/** Lays spans out on an axis; long idle times, as between an earlier call and this one, are cut out. */
export function axisOf(spans: readonly Span[]): Axis {
  const busy: { start: number; end: number }[] = [];
  const longest = Math.max(...spans.map(({ start, end }) => end - start), 0);
  for (const { start, end } of [...spans].sort((a, b) => a.start - b.start)) {
    const previous = busy.at(-1);
    if (previous && start - previous.end <= Math.max(LEAST_GAP_MS, longest)) {
      previous.end = Math.max(previous.end, end);
    } else {
      busy.push({ start, end });
    }
  }
  const total = busy.reduce((sum, { start, end }) => sum + (end - start), 0) || 1;
  const room = 1 - GAP * (busy.length - 1);
  let from = 0;
  const stretches = busy.map(({ start, end }): Stretch => {
    const stretch = { start, end, from, to: from + ((end - start) / total) * room };
    from = stretch.to + GAP;
    return stretch;
  });
  const at = (moment: number): number => {
    const stretch = stretches.findLast(({ start }) => start <= moment) ?? stretches[0];
    if (!stretch || stretch.end === stretch.start) return stretch?.from ?? 0;
    const share = (moment - stretch.start) / (stretch.end - stretch.start);
    return stretch.from + Math.min(1, Math.max(0, share)) * (stretch.to - stretch.from);
  };
  return { stretches, at };
}

/** Round distances in milliseconds for about `count` marks over `length`. */
export function tickStep(length: number, count: number): number {
  const wanted = length / Math.max(1, count);
  const minutes = [60, 120, 300, 600, 1800, 3600].map((seconds) => seconds * 1000);
  const seconds = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000];
  return [...seconds, ...minutes].find((step) => step >= wanted) ?? 3_600_000;
}

function last(spans: readonly Span[]): Span | undefined {
  return [...spans].sort((a, b) => a.end - b.end).at(-1);
}
