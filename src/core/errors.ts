/** What kind of thing went wrong; commands map it to their exit code. */
export type ErrorCode =
  "CONFIG" | "PROJECT" | "LOCK" | "USAGE" | "REPORT" | "RELEASE" | "MODEL" | "DELIVERY";

/** One fault found in what a person wrote, with the place where it stands. */
export interface Problem {
  /** What is wrong, what was expected, and the nearest valid name when there is one. */
  readonly message: string;
  /** `pyproject.toml`, `environment`, `flag`, or another file's name. */
  readonly source: string;
  /** Key path (`test.workers`) or variable name, when the problem belongs to one. */
  readonly key?: string;
  /** First line is 1. */
  readonly line?: number;
  /** First column is 1. */
  readonly column?: number;
}

/**
 * The one error this module throws on purpose: it tells the reader what failed, where, why and
 * what to do next. Anything else that is thrown is a defect.
 */
export class SlipwayError extends Error {
  override readonly name = "SlipwayError";
  readonly code: ErrorCode;
  /** Every fault found, so that one run shows them all. Empty when the message says it all. */
  readonly problems: readonly Problem[];

  constructor(code: ErrorCode, message: string, problems: readonly Problem[] = []) {
    super([message, ...problems.map((problem) => `  ${describeProblem(problem)}`)].join("\n"));
    this.code = code;
    this.problems = problems;
  }
}

/** One line: `pyproject.toml:12:3 test.worker: unknown key; did you mean "workers"?` */
export function describeProblem(problem: Problem): string {
  const place = [problem.source, problem.line, problem.column]
    .filter((part) => part !== undefined)
    .join(":");
  return `${place}${problem.key === undefined ? "" : ` ${problem.key}`}: ${problem.message}`;
}
