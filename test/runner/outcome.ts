/** How one test file ended. */
export interface Outcome {
  passed: number;
  failed: number;
  /** What went wrong besides failed tests; absent when the numbers say it all. */
  problem?: string;
}

/** How a process ended: its exit code, or the signal that ended it. */
export interface Ending {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** Ended by the runner, because it took too long. */
  timedOut: boolean;
}

/**
 * Reads what a test file's process left behind: uvu's totals, or a last line `N passed, N failed`.
 * Whatever does not add up - no totals, no tests, skipped ones, an exit code that the totals do not
 * explain - counts as one more failure, with the reason in `problem`.
 */
export function readOutcome(output: string, ending: Ending): Outcome {
  const counts = uvuCounts(output) ?? lineCounts(output);
  const passed = counts?.passed ?? 0;
  const failed = counts?.failed ?? 0;
  const problem = problemOf(counts, ending);
  return problem === undefined ? { passed, failed } : { passed, failed: failed + 1, problem };
}

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

function problemOf(counts: Counts | undefined, ending: Ending): string | undefined {
  if (ending.timedOut) return "took too long and was ended";
  const how = ending.signal ? `ended by ${ending.signal}` : `exit code ${ending.code ?? "?"}`;
  if (counts === undefined) return `no totals: it did not get to its end (${how})`;
  if (counts.skipped > 0) return `${counts.skipped} skipped`;
  if (counts.passed + counts.failed === 0) return "it has no tests";
  const expected = counts.failed > 0;
  return expected === (ending.code !== 0) ? undefined : `${how} does not fit its totals`;
}

function uvuCounts(output: string): Counts | undefined {
  const totals = /^ {2}Total: +(\d+)\n {2}Passed: +(\d+)\n {2}Skipped: +(\d+)$/gm;
  const last = [...plain(output).matchAll(totals)].at(-1);
  if (last === undefined) return undefined;
  const [total = 0, passed = 0, skipped = 0] = last.slice(1).map(Number);
  // uvu's total leaves skipped tests out.
  return { passed, failed: total - passed, skipped };
}

function lineCounts(output: string): Counts | undefined {
  const last = plain(output).trimEnd().split("\n").at(-1) ?? "";
  const found = /^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/.exec(last);
  if (found === null) return undefined;
  const [passed = 0, failed = 0, skipped = 0] = found.slice(1).map((text) => Number(text || 0));
  return { passed, failed, skipped };
}

/** Without the terminal's colours. */
function plain(text: string): string {
  return text.replace(/\u001b\[[\d;]*m/g, "");
}
