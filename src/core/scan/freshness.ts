const HOUR = 3_600_000;

/**
 * The span of time, by number, in which a scan is not repeated. Whoever verifies takes a scan for so many
 * hours (`verify.age`); one that is half as old makes room for a new one, so that a release of the same
 * content can renew it while the old one still counts.
 */
export function scanSpan(age: number, now: Date): number {
  return Math.floor(now.getTime() / ((age * HOUR) / 2));
}

/** Whether a statement of a scan need not be made anew yet; one that does not say when it was is none. */
export function isFresh(predicate: unknown, age: number, now: Date): boolean {
  const { metadata } = (predicate ?? {}) as { metadata?: { scanFinishedOn?: unknown } };
  const at = Date.parse(String(metadata?.scanFinishedOn));
  return now.getTime() - at <= (age * HOUR) / 2;
}
