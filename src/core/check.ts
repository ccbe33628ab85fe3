/**
 * How a check ended. ERRORED means that the tool itself did not work: it says nothing about the
 * project and is never success.
 */
export type CheckState = "PASSED" | "FAILED" | "SKIPPED" | "ERRORED";

/** The checks, in the order in which they are reported. */
export const CHECK_NAMES = [
  "lint",
  "format",
  "types",
  "test",
  "bandit",
  "pipAudit",
  "safety",
] as const;
export type CheckName = (typeof CHECK_NAMES)[number];

export type FindingLevel = "error" | "warning" | "note";

/** One thing a tool found. */
export interface Finding {
  /** The tool's own name of the rule: `F401`, `arg-type`, `B602`, `GHSA-…`. */
  readonly ruleId: string;
  /** The rule's name in words, where the tool has one: `unused-import`. */
  readonly ruleName?: string;
  readonly level: FindingLevel;
  /** Plain text, control characters removed. */
  readonly message: string;
  /** Relative to the project, with forward slashes. Absent when no file is to blame. */
  readonly file?: string;
  /** First line is 1. */
  readonly line?: number;
  /** First column is 1. */
  readonly column?: number;
  readonly endLine?: number;
  readonly endColumn?: number;
  /** Where the rule is explained. */
  readonly helpUri?: string;
  /** What to do about it, as far as the tool says: a version to upgrade to, the tool's own repair. */
  readonly fix?: string;
}

/** Numbers of a test run. */
export interface TestTotals {
  readonly tests: number;
  readonly failed: number;
  readonly errors: number;
  readonly skipped: number;
  /** Sum of the tests' own times; with several workers more than the wall clock. */
  readonly seconds: number;
}

/** How one check ended, and what it found. */
export interface CheckResult {
  readonly name: CheckName;
  /** The program that ran, such as `ruff`. */
  readonly tool: string;
  /** The tool's version, when it is known. */
  readonly version?: string;
  readonly state: CheckState;
  /** Why: always there unless PASSED; one or a few lines for a person. */
  readonly reason?: string;
  readonly durationMs: number;
  /** When the tool began, ISO 8601; absent when none ran. */
  readonly startedAt?: string;
  /** Whether the tool ran for an earlier call of equal input. */
  readonly cached?: boolean;
  readonly findings: readonly Finding[];
  readonly tests?: TestTotals;
  /** Slowest tests first. */
  readonly slowest?: readonly { readonly name: string; readonly seconds: number }[];
  /** Percentage of lines covered. */
  readonly coverage?: number;
  /** The least covered first. */
  readonly coverageFiles?: readonly FileCoverage[];
}

/** How much of a file the tests run. */
export interface FileCoverage {
  readonly file: string;
  /** Percentage of the statements (and branches, when measured), 0 to 100. */
  readonly percent: number;
  readonly statements: number;
  /** Statements that no test ran. */
  readonly missed: number;
}

/** What came out of one execution of a tool. */
export interface ToolRun {
  /** The process' exit code; 128 + n after signal n; `TIMEOUT_EXIT_CODE` when stopped for time. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
  /** When it began, ISO 8601. */
  readonly startedAt?: string;
  /** The report file's text; absent when the tool left none. Tools that report on stdout need none. */
  readonly report?: string;
  readonly version?: string;
  /** Seconds that the run was allowed, to name them when it was stopped. */
  readonly timeoutSeconds?: number;
}

/** What `timeout(1)` exits with when the time is up. With `--kill-after`, 137 follows a kill. */
export const TIMEOUT_EXIT_CODE = 124;
