import { suite } from "uvu";
import * as assert from "uvu/assert";
import { complaint, makeReport, readReport, type Report } from "../../../src/core/report/report.js";
import { raises } from "../raises.js";
import { finding, result } from "../runs.js";
import type { CheckResult, CheckState } from "../../../src/core/check.js";

const test = suite("the report");
const PROJECT = { name: "iris", version: "1.0.0", kind: "poetry", python: "3.13" };
const of = (...states: CheckState[]): Report =>
  makeReport(
    PROJECT,
    new Date(0),
    states.map((state) => result({ state, reason: "because" })),
  );

test("passes_only_when_something_passed_and_nothing_else_happened", () => {
  assert.is(of("PASSED", "SKIPPED").state, "PASSED");
  assert.is(of("PASSED", "ERRORED").state, "ERRORED");
  assert.is(of("ERRORED", "FAILED", "PASSED").state, "FAILED");
  assert.is(of("SKIPPED", "SKIPPED").state, "SKIPPED");
  assert.is(of().state, "SKIPPED");
});

test("complains_unless_it_passed", () => {
  assert.is(complaint(of("PASSED", "SKIPPED")), undefined);
  assert.match(complaint(of("SKIPPED")) ?? "", "No check ran");
  assert.match(complaint(of()) ?? "", "No check ran");
  const report = makeReport(PROJECT, new Date(0), [
    result({ name: "test", tool: "pytest", state: "ERRORED", reason: "no tests\nat all" }),
    result({ state: "FAILED", reason: "2 findings" }),
    result({ name: "types", tool: "mypy" }),
  ]);
  assert.is(
    complaint(report),
    "2 of 3 checks did not pass:\n  lint (ruff) FAILED: 2 findings\n  test (pytest) ERRORED: no tests\n    at all",
  );
});

test("orders_the_checks_and_adds_their_times", () => {
  const report = makeReport(PROJECT, new Date(0), [
    result({ name: "safety" }),
    result({ name: "test" }),
    result(),
  ]);
  assert.equal(
    report.checks.map((one) => one.name),
    ["lint", "test", "safety"],
  );
  assert.is(report.durationMs, 3600);
});

test("keeps_everything_through_json", () => {
  const full: CheckResult = {
    ...result({ name: "test", state: "FAILED", reason: "x" }),
    version: "9",
    findings: [finding({ ruleName: "n", endLine: 4, endColumn: 2, helpUri: "https://x.example" })],
    tests: { tests: 2, failed: 1, errors: 0, skipped: 0, seconds: 0.5 },
    slowest: [{ name: "t", seconds: 0.4 }],
    coverage: 91.2,
  };
  const report = makeReport(PROJECT, new Date(0), [full], ["a notice"]);
  assert.equal(readReport(JSON.stringify(report)), report);
  assert.equal(report.checks[0], full);
});

test("refuses_a_report_of_another_form", () => {
  const report = of("PASSED");
  assert.match(
    raises("REPORT", () => readReport("{")),
    "is not JSON",
  );
  assert.match(
    raises("REPORT", () => readReport("{}")),
    "schemaVersion",
  );
  assert.match(
    raises("REPORT", () => readReport(JSON.stringify({ ...report, schemaVersion: "2.0" }))),
    "schemaVersion",
  );
  readReport(JSON.stringify({ ...report, schemaVersion: "1.9", later: true }));
});

test.run();
