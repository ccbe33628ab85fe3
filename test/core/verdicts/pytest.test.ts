import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { CheckResult, ToolRun } from "../../../src/core/check.js";
import { parseCoverage } from "../../../src/core/coverage.js";
import { parseJUnit, slowestTests } from "../../../src/core/junit.js";
import { testVerdict, type PytestOptions } from "../../../src/core/verdicts/pytest.js";
import { run } from "../runs.js";

const test = suite("the verdict on pytest");

const PASSED = '<testcase classname="tests.test_a" name="test_ok[x y]" time="0.041" />';
const SKIPPED =
  '<testcase classname="tests.test_a" name="test_s" time="0.001"><skipped type="pytest.skip" message="later">…</skipped></testcase>';
const FAILED = `<testcase classname="tests.test_a.TestB" name="test_bad" time="0.13"><failure message="AssertionError: &lt;b&gt; | 1&#10;assert 1 == 2">def test_bad():
&gt;       assert 1 == 2
lib/helpers.py:9: in check
tests/test_a.py:5: AssertionError</failure></testcase>`;
const BROKEN =
  '<testcase classname="" name="tests.test_y" time="0"><error message="collection failure">tests/test_y.py:1: in &lt;module&gt;\n/usr/lib/python3/x.py:3: boom</error></testcase>';
const junit = (...cases: string[]): string =>
  `<?xml version="1.0" encoding="utf-8"?><testsuites name="pytest tests"><testsuite name="pytest">${cases.join("")}</testsuite></testsuites>`;
const coverage = (percent: number): string =>
  JSON.stringify({
    totals: { percent_covered: percent, num_statements: 10 },
    files: {
      "b.py": { summary: { percent_covered: 99, num_statements: 4, missing_lines: 0 } },
      "a.py": { summary: { percent_covered: 9, num_statements: 6, missing_lines: 5 } },
    },
  });
const judge = (given: Partial<ToolRun>, options: Partial<PytestOptions> = {}): CheckResult =>
  testVerdict(run(given), { root: "/src", ...options });

test("passes_and_gives_numbers_and_slowest_tests", () => {
  const verdict = judge(
    { report: junit(PASSED, SKIPPED) },
    { coverage: coverage(91.26), minimum: 90 },
  );
  assert.is(verdict.state, "PASSED");
  assert.equal(verdict.tests, { tests: 2, failed: 0, errors: 0, skipped: 1, seconds: 0.042 });
  assert.is(verdict.slowest?.[0]?.name, "tests.test_a::test_ok[x y]");
  assert.is(verdict.coverage, 91.26);
});

test("fails_with_file_and_line_of_the_projects_last_step", () => {
  const verdict = judge({ exitCode: 1, report: junit(PASSED, FAILED) });
  assert.is(verdict.state, "FAILED");
  assert.is(verdict.reason, "1 of 2 tests failed");
  const [finding] = verdict.findings;
  assert.is(finding?.file, "tests/test_a.py");
  assert.is(finding?.line, 5);
  assert.is(
    finding?.message,
    "tests.test_a.TestB::test_bad: AssertionError: <b> | 1\nassert 1 == 2",
  );
});

test("fails_when_a_test_file_cannot_be_imported", () => {
  const verdict = judge({ exitCode: 2, report: junit(BROKEN) });
  assert.is(verdict.state, "FAILED");
  assert.is(verdict.reason, "0 of 1 test failed, 1 with errors");
  assert.is(verdict.findings[0]?.file, "tests/test_y.py");
});

test("fails_when_tests_failed_but_the_exit_code_was_swallowed", () => {
  assert.is(judge({ exitCode: 0, report: junit(FAILED) }).state, "FAILED");
});

test("is_errored_when_there_are_no_tests_or_all_are_skipped", () => {
  assert.match(judge({ exitCode: 5, report: junit() }).reason ?? "", "no tests were found");
  assert.is(judge({ exitCode: 5, report: junit() }).state, "ERRORED");
  assert.is(judge({ report: junit() }).state, "ERRORED");
  assert.match(judge({ report: junit(SKIPPED) }).reason ?? "", "all 1 test were skipped");
});

test("skips_a_shard_without_tests_only_when_others_have_them", () => {
  const empty = { exitCode: 5, report: junit(), stdout: "no tests ran in 0.90s" };
  const shard = (chosen: number): string => judge(empty, { shard: { name: "4/4", chosen } }).state;
  assert.is(shard(3), "SKIPPED");
  assert.is(shard(0), "ERRORED");
  assert.is(judge({ ...empty, stdout: "7 deselected in 0.03s" }).state, "ERRORED");
});

test("is_errored_by_pytests_own_errors", () => {
  for (const exitCode of [2, 3, 4, 6])
    assert.is(judge({ exitCode, report: junit(PASSED) }).state, "ERRORED", `${exitCode}`);
  assert.is(judge({ exitCode: 1, report: junit(PASSED) }).state, "ERRORED", "1 without a failure");
});

test("names_the_tests_that_ran_when_the_time_was_up", () => {
  const running = Array.from({ length: 7 }, (_, index) => `tests/test_a.py::test_${index}\n`);
  const verdict = judge({ exitCode: 124, timeoutSeconds: 5, report: junit(PASSED) }, { running });
  assert.is(verdict.state, "FAILED");
  assert.match(
    verdict.reason ?? "",
    /^stopped after 5 s while these ran: tests\/test_a\.py::test_0, .* and 2 more$/,
  );
  assert.is(verdict.tests?.tests, 1);
});

test("fails_below_the_minimum_and_never_rounds_up_to_it", () => {
  const verdict = judge({ report: junit(PASSED) }, { coverage: coverage(89.99), minimum: 90 });
  assert.is(verdict.state, "FAILED");
  assert.is(verdict.reason, "coverage is 89.9 %, below the minimum of 90 %");
  assert.is(
    judge({ exitCode: 1, report: junit(PASSED) }, { coverage: coverage(50), minimum: 90 }).state,
    "FAILED",
  );
});

test("is_errored_when_coverage_is_demanded_and_not_there", () => {
  assert.is(judge({ report: junit(PASSED) }, { minimum: 90 }).state, "ERRORED");
  assert.is(judge({ report: junit(PASSED) }, { minimum: 90, coverage: "{}" }).state, "ERRORED");
  assert.is(judge({ report: junit(PASSED) }, { minimum: 0 }).state, "PASSED");
});

test("reads_ten_megabytes_of_results", () => {
  const report = parseJUnit(
    junit(
      ...Array.from({ length: 100_000 }, (_, index) =>
        PASSED.replace("test_ok", `test_number_${index}_${"x".repeat(30)}`),
      ),
    ),
  );
  assert.is(report?.totals.tests, 100_000);
  assert.is(slowestTests(report?.cases ?? [], 3).length, 3);
});

test("reads_the_place_that_older_reports_give", () => {
  const xml = junit(
    '<testcase classname="a" name="b" file="tests/test_a.py" line="4" time="x"><failure message="no"/></testcase>',
  );
  const [one] = parseJUnit(xml)?.cases ?? [];
  assert.equal([one?.file, one?.line, one?.seconds], ["tests/test_a.py", 5, 0]);
});

test("orders_files_by_coverage", () => {
  assert.equal(parseCoverage(coverage(50))?.files[0], {
    file: "a.py",
    percent: 9,
    statements: 6,
    missed: 5,
  });
  assert.equal(
    parseCoverage(coverage(50))?.files.map((one) => one.file),
    ["a.py", "b.py"],
  );
  assert.is(parseCoverage("{"), undefined);
});

test.run();
