import type { CheckResult, Finding, ToolRun } from "../check.js";
import { parseCoverage } from "../coverage.js";
import { parseJUnit, slowestTests, type TestReport } from "../junit.js";
import { clean, oneLine, plural } from "../text.js";
import { broken, cutShort, outline, relativeTo, skipped } from "./verdict.js";

export interface PytestOptions {
  /** The project's folder where pytest ran. */
  readonly root: string;
  /** Text of coverage.py's JSON report; undefined when there is none. */
  readonly coverage?: string;
  /** Least coverage in percent; undefined when coverage is not measured. */
  readonly minimum?: number;
  /** Tests that ran when the time was up. */
  readonly running?: readonly string[];
  /** Which part of the tests was wanted, `i/n`, and of how many; absent for all of them. */
  readonly shard?: { readonly name: string; readonly chosen: number };
}

const MEANINGS: Readonly<Record<number, string>> = {
  2: "pytest was interrupted",
  3: "pytest had an internal error",
  4: "pytest was called in a way it does not understand",
};

/**
 * The verdict on a pytest run with a JUnit report. Tests that are not there, or are all skipped,
 * are ERRORED: nothing was tested. A shard that is left without any is SKIPPED, as others have them.
 */
export function testVerdict(run: ToolRun, options: PytestOptions): CheckResult {
  const report = run.report === undefined ? undefined : parseJUnit(run.report);
  const early = cutShort("test", run, options.running);
  if (early) return { ...early, ...numbers(report, options) };
  if (run.exitCode === 5) return noTests(run, options);
  const meaning = MEANINGS[run.exitCode];
  const findings = (report?.cases ?? [])
    .filter((one) => one.outcome === "failed" || one.outcome === "error")
    .map((one) => finding(one, options.root));
  // Exit 2 with findings is a test file that cannot be imported: the project's fault.
  if (run.exitCode > 2 || (run.exitCode === 2 && findings.length === 0))
    return broken("test", run, meaning ?? `pytest exited with ${run.exitCode}`, findings);
  if (!report)
    return broken(
      "test",
      run,
      `pytest exited with ${run.exitCode} and left no JUnit report that can be read`,
    );
  const { totals } = report;
  const result = { ...outline("test", run), ...numbers(report, options) };
  if (findings.length === 0 && run.exitCode === 0 && totals.tests === totals.skipped)
    return {
      ...result,
      ...broken(
        "test",
        run,
        totals.tests === 0
          ? "no tests were found"
          : `all ${plural(totals.tests, "test")} were skipped: nothing was tested`,
      ),
    };
  if (findings.length > 0) {
    const errors = totals.errors === 0 ? "" : `, ${totals.errors} with errors`;
    return {
      ...result,
      state: "FAILED",
      reason: `${totals.failed} of ${plural(totals.tests, "test")} failed${errors}`,
      findings,
    };
  }
  const lacking = coverageVerdict(result, run, options);
  if (lacking) return lacking;
  if (run.exitCode !== 0)
    return broken("test", run, `pytest exited with ${run.exitCode}, but no test failed`);
  return { ...result, state: "PASSED", findings };
}

function noTests(run: ToolRun, { shard }: PytestOptions): CheckResult {
  if (shard !== undefined && shard.chosen > 0)
    return {
      ...skipped("test", `shard ${shard.name} has no tests: there are fewer than shards`),
      ...outline("test", run),
    };
  return broken(
    "test",
    run,
    "no tests were found: add some, or correct test.paths and test.markers",
  );
}

function coverageVerdict(
  result: Omit<CheckResult, "state" | "findings">,
  run: ToolRun,
  { minimum, coverage }: PytestOptions,
): CheckResult | undefined {
  if (minimum === undefined || minimum === 0) return undefined;
  if (result.coverage === undefined)
    return broken(
      "test",
      run,
      coverage === undefined
        ? "pytest left no coverage report"
        : "the coverage report cannot be read",
    );
  if (result.coverage >= minimum) return undefined;
  const message = `coverage is ${floor(result.coverage)} %, below the minimum of ${minimum} %`;
  return {
    ...result,
    state: "FAILED",
    reason: message,
    findings: [{ ruleId: "coverage", level: "error", message }],
  };
}

function numbers(report: TestReport | undefined, options: PytestOptions): Partial<CheckResult> {
  const coverage = options.coverage === undefined ? undefined : parseCoverage(options.coverage);
  return {
    ...(report ? { tests: report.totals, slowest: slowestTests(report.cases) } : {}),
    ...(coverage ? { coverage: coverage.percent, coverageFiles: coverage.files } : {}),
  };
}

function finding(one: TestReport["cases"][number], root: string): Finding {
  return {
    ruleId: one.outcome === "error" ? "test-error" : "test-failure",
    level: "error",
    message: `${oneLine(one.name)}: ${clean(one.message).slice(0, 2000)}`,
    ...(one.file === undefined ? {} : { file: relativeTo(root, one.file) }),
    ...(one.line === undefined ? {} : { line: one.line }),
  };
}

/** One decimal, never rounded up to the minimum that it misses. */
function floor(percent: number): number {
  return Math.floor(percent * 10) / 10;
}
