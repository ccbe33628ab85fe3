import type { Config } from "../config/schema.js";
import type { Measure, Outcome } from "./types.js";

/** What every statistical measure is judged by. */
export type Rules = Pick<Config["analysis"], "confidence" | "minimum">;

/**
 * From this confidence on a difference is suspicious: not sure enough to fail, too sure to pass.
 * Below it, it is what two equal versions show as well.
 */
const SUSPICIOUS = 0.8;

/** Decimal fractions: 100 - 99.9 is a little less than 0.1. */
const SLACK = 1e-12;

/** Whether a share is above a limit, and not just at it. */
export function isAbove(share: number, limit: number): boolean {
  return share > limit + SLACK;
}

/** The gravest first. */
const GRAVITY: readonly Outcome[] = ["failed", "errored", "inconclusive", "passed"];

/** The outcome of several: failed > errored > inconclusive > passed. Of none: errored. */
export function combined(outcomes: readonly Outcome[]): Outcome {
  return GRAVITY.find((outcome) => outcomes.includes(outcome)) ?? "errored";
}

/** The gravest measures first, otherwise in their order. */
export function byGravity(measures: readonly Measure[]): Measure[] {
  return [...measures].sort((a, b) => GRAVITY.indexOf(a.outcome) - GRAVITY.indexOf(b.outcome));
}

/** The outcome against a fixed threshold: what breaks it never passes, and fails when that is sure. */
export function againstThreshold(
  isBroken: boolean,
  sure: number,
  { confidence }: Pick<Rules, "confidence">,
): Outcome {
  if (!isBroken) return "passed";
  return sure >= confidence ? "failed" : "inconclusive";
}

/**
 * The outcome against stable.
 *
 * @param beyond How sure it is that the canary is worse by more than the margin.
 * @param differs Whether what was seen is beyond the margin, and how sure it is that there is a difference at all.
 */
export function againstStable(
  beyond: number,
  differs: { readonly seen: boolean; readonly sure: number },
  { confidence }: Pick<Rules, "confidence">,
): Outcome {
  if (beyond >= confidence && differs.sure >= confidence) return "failed";
  return differs.seen && differs.sure >= SUSPICIOUS ? "inconclusive" : "passed";
}

/** A number that JSON and people can read; nothing for NaN and infinities. */
export function seen<K extends string>(
  key: K,
  value: number | undefined,
): Partial<Record<K, number>> {
  if (value === undefined || !Number.isFinite(value)) return {};
  return { [key]: rounded(value) } as Partial<Record<K, number>>;
}

/** To six significant digits: what is beyond was never measured. */
export function rounded(value: number): number {
  return Number(value.toPrecision(6));
}

/** `12.3`, `0.052`; `more than any` for what has no bound. */
export function words(value: number): string {
  if (!Number.isFinite(value)) return "without end";
  return `${Number(value.toPrecision(3))}`;
}

/** `97.3 % sure`, rounded down: never more sure than it is, and never quite. */
export function sureWords(confidence: number): string {
  const tenths = Math.floor(confidence * 1000 + 1e-9);
  return tenths >= 999 ? "more than 99.9 % sure" : `${tenths / 10} % sure`;
}
