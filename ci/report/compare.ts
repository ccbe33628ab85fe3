import type { CheckState, Finding } from "../../src/core/check.js";
import type { Report } from "../../src/core/report/report.js";

type Check = Report["checks"][number];

/** A finding and the check that has it. */
export interface Found {
  readonly check: string;
  readonly finding: Finding;
}

interface Change<T> {
  readonly before: T | undefined;
  readonly after: T | undefined;
}

export interface CheckChange {
  readonly name: string;
  readonly state: Change<CheckState>;
  readonly durationMs: Change<number>;
}

/** What changed from one report to the next. */
export interface Comparison {
  /** When the earlier report was made, ISO 8601. */
  readonly since: string;
  readonly state: { readonly before: CheckState; readonly after: CheckState };
  /** In the later report's order; those that are gone come last. */
  readonly checks: readonly CheckChange[];
  readonly appeared: readonly Found[];
  readonly gone: readonly Found[];
  /** Number of tests that ran. */
  readonly tests: Change<number>;
  /** Percentage. */
  readonly coverage: Change<number>;
  /** Files whose percentage is another, the greatest loss first. */
  readonly coverageFiles: readonly {
    readonly file: string;
    readonly before: number;
    readonly after: number;
  }[];
}

/**
 * What changed from `before` to `after`. A finding whose line moved is the same finding; of a check
 * that did not run to its end on both sides, nothing came and nothing went.
 */
export function compare(before: Report, after: Report): Comparison {
  const [was, is] = [judgedIn(before, after), judgedIn(after, before)];
  const earlier = new Map(before.checks.map((check) => [check.name, check]));
  const later = new Map(after.checks.map((check) => [check.name, check]));
  const names = [...new Set([...later.keys(), ...earlier.keys()])];
  return {
    since: before.createdAt,
    state: { before: before.state, after: after.state },
    checks: names.map((name) => ({
      name,
      state: pair(earlier.get(name)?.state, later.get(name)?.state),
      durationMs: pair(ran(earlier.get(name)), ran(later.get(name))),
    })),
    appeared: missing(is, was),
    gone: missing(was, is),
    tests: pair(tested(was)?.tests?.tests, tested(is)?.tests?.tests),
    coverage: pair(tested(was)?.coverage, tested(is)?.coverage),
    coverageFiles: coverageFiles(was, is),
  };
}

/** What of a report can be held against another: its checks that judged there too, its scan if there is one. */
type Judged = Pick<Report, "checks" | "scan">;

function judgedIn({ checks, scan }: Report, other: Report): Judged {
  const judged = ({ state }: Check): boolean => state === "PASSED" || state === "FAILED";
  const there = other.checks.filter(judged).map(({ name }) => name);
  return {
    checks: checks.filter((check) => judged(check) && there.includes(check.name)),
    ...(scan && other.scan && { scan }),
  };
}

/** The comparison in one line: `2 new findings, 1 gone, coverage 98.8 % → 97.1 %`. */
export function headline({ appeared, gone, state, coverage, tests }: Comparison): string {
  const parts = [
    state.before === state.after ? "" : `${state.before} → ${state.after}`,
    appeared.length === 0 ? "" : `${count(appeared.length)} new`,
    gone.length === 0 ? "" : `${count(gone.length)} gone`,
    change("tests", tests, (value) => `${value}`),
    change("coverage", coverage, (value) => `${(Math.floor(value * 10) / 10).toFixed(1)} %`),
  ].filter((part) => part !== "");
  return parts.length === 0 ? "the same verdict and the same findings" : parts.join(", ");
}

function change(what: string, { before, after }: Change<number>, show: (value: number) => string) {
  if (before === undefined || after === undefined || show(before) === show(after)) return "";
  return `${what} ${show(before)} → ${show(after)}`;
}

function count(number: number): string {
  return number === 1 ? "1 finding" : `${number} findings`;
}

function pair<T>(before: T | undefined, after: T | undefined): Change<T> {
  return { before, after };
}

function ran(check: Check | undefined): number | undefined {
  return check === undefined || check.state === "SKIPPED" ? undefined : check.durationMs;
}

function tested(report: Judged): Check | undefined {
  return report.checks.find(({ name }) => name === "test");
}

/** Findings of `one` that `other` has not; of equal ones, as many as there are more. */
function missing(one: Judged, other: Judged): Found[] {
  const known = new Map<string, number>();
  for (const found of all(other)) {
    const key = keyOf(found);
    known.set(key, (known.get(key) ?? 0) + 1);
  }
  return all(one).filter((found) => {
    const key = keyOf(found);
    const left = known.get(key) ?? 0;
    known.set(key, left - 1);
    return left <= 0;
  });
}

function all({ checks, scan }: Judged): Found[] {
  const scanned = (scan?.findings ?? [])
    .filter(({ status }) => status !== "ignored")
    .map(({ id, subject, version, title }): Found => {
      const message = `${subject} ${version}: ${title}`;
      return { check: "scan", finding: { ruleId: id, level: "error", message } };
    });
  const own = checks.flatMap(({ name, findings }) =>
    findings.map((finding) => ({ check: name, finding })),
  );
  return [...own, ...scanned];
}

function keyOf({ check, finding }: Found): string {
  return JSON.stringify([check, finding.ruleId, finding.file ?? "", finding.message]);
}

function coverageFiles(before: Judged, after: Judged): Comparison["coverageFiles"] {
  const files = tested(before)?.coverageFiles ?? [];
  const earlier = new Map(files.map(({ file, percent }) => [file, percent]));
  return (tested(after)?.coverageFiles ?? [])
    .flatMap(({ file, percent }) => {
      const was = earlier.get(file);
      return was === undefined || was === percent ? [] : [{ file, before: was, after: percent }];
    })
    .sort((a, b) => a.after - a.before - (b.after - b.before) || (a.file < b.file ? -1 : 1));
}
