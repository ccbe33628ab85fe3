import type { Judged } from "./types.js";
import { countsOf, order, type ScanResult } from "./verdict.js";

/** The scan of one platform's image, which passed; without a platform it is the engine's own. */
export interface PlatformScan {
  readonly platform: string | undefined;
  readonly result: ScanResult;
}

/**
 * One result for an image of several platforms: each finding once, with the platforms that have it, and
 * their packages together. It is as old as the oldest scan in it, by the oldest of their databases.
 */
export function mergedScan(first: PlatformScan, ...others: readonly PlatformScan[]): ScanResult {
  if (others.length === 0) return first.result;
  const scans = [first, ...others];
  const results = scans.map(({ result }) => result);
  const found = new Map<string, Judged>();
  for (const { platform = "", result } of scans)
    for (const finding of result.findings) {
      const key = JSON.stringify(finding);
      const platforms = [...new Set([...(found.get(key)?.platforms ?? []), platform])];
      found.set(key, { ...finding, platforms });
    }
  const findings = [...found.values()].sort(order);
  const startedAt = earliest(results.map((each) => each.startedAt));
  const finishedAt = earliest(results.map((each) => each.finishedAt));
  const updatedAt = earliest(results.map(({ database }) => database?.updatedAt));
  const database = results.find((each) => each.database?.updatedAt === updatedAt)?.database;
  return {
    ...first.result,
    counts: countsOf(findings),
    findings,
    notices: [...new Set(results.flatMap(({ notices }) => notices))],
    packages: results.reduce((sum, { packages }) => sum + packages, 0),
    ...(database && { database }),
    ...(startedAt !== undefined && { startedAt }),
    ...(finishedAt !== undefined && { finishedAt }),
  };
}

function earliest(times: readonly (string | undefined)[]): string | undefined {
  return times
    .filter((time) => time !== undefined)
    .sort((a, b) => Date.parse(a) - Date.parse(b))[0];
}
