import { suite } from "uvu";
import * as assert from "uvu/assert";

import { compare, headline } from "../../ci/report/compare.js";
import { axisOf, criticalPath, spansOf, wallClock, type Span } from "../../ci/report/timeline.js";
import { reportPage } from "../../src/core/report/page.js";
import { makeReport, type Report } from "../../src/core/report/report.js";
import { finding, result } from "../core/runs.js";
import { fullReport, HOSTILE } from "./reports.js";
import type { Finding } from "../../src/core/check.js";

const test = suite("comparison and timeline");
const PROJECT = { name: "iris", version: "1.0.0", kind: "poetry", python: "3.13" };
const of = (...findings: Finding[]): Report =>
  makeReport(PROJECT, new Date(0), [
    result({ state: findings.length > 0 ? "FAILED" : "PASSED", findings }),
  ]);
const span = (name: string, start: number, end: number, more: Partial<Span> = {}): Span => ({
  name,
  state: "PASSED",
  start,
  end,
  cached: false,
  needs: [],
  ...more,
});

test("takes_a_finding_whose_line_moved_for_the_same", () => {
  const { appeared, gone } = compare(of(finding({ line: 3 })), of(finding({ line: 9 })));
  assert.equal([appeared, gone], [[], []]);
});

test("counts_equal_findings_and_names_those_that_came_and_went", () => {
  const one = finding();
  const other = finding({ ruleId: "E501" });
  const comparison = compare(of(one, other), of(one, one));
  assert.equal(comparison.appeared, [{ check: "lint", finding: one }]);
  assert.equal(comparison.gone, [{ check: "lint", finding: other }]);
  assert.is(headline(comparison), "1 finding new, 1 finding gone");
});

test("compares_findings_of_the_scan_too_but_not_ignored_ones", () => {
  const report = fullReport();
  const { scan } = report;
  if (!scan) throw new Error("the report has no scan");
  const findings = scan.findings.map((each) => ({ ...each, status: "ignored" as const }));
  const { gone } = compare(report, { ...report, scan: { ...scan, findings } });
  assert.equal(
    gone.map(({ finding: { ruleId } }) => ruleId),
    ["CVE-2026-0001"],
  );
});

for (const state of ["SKIPPED", "ERRORED"] as const)
  test(`finds_nothing_new_or_gone_of_a_check_that_${state.toLowerCase()}`, () => {
    const idle = makeReport(PROJECT, new Date(0), [result({ state, findings: [] })]);
    for (const other of [idle, makeReport(PROJECT, new Date(0), [])]) {
      const [to, from] = [compare(of(finding()), other), compare(other, of(finding()))];
      assert.equal([...to.gone, ...to.appeared, ...from.gone, ...from.appeared], []);
    }
  });

test("finds_nothing_gone_of_a_scan_that_was_not_made", () => {
  const { scan, ...rest } = fullReport();
  assert.ok(scan);
  assert.equal(compare({ ...rest, scan }, rest).gone, []);
});

test("says_which_files_lost_coverage_first", () => {
  const covered = (a: number, b: number): Report =>
    makeReport(PROJECT, new Date(0), [
      result({
        name: "test",
        coverage: (a + b) / 2,
        coverageFiles: [
          { file: "a.py", percent: a, statements: 10, missed: 1 },
          { file: "b.py", percent: b, statements: 10, missed: 1 },
        ],
      }),
    ]);
  const comparison = compare(covered(50, 90), covered(60, 70));
  assert.equal(
    comparison.coverageFiles.map(({ file }) => file),
    ["b.py", "a.py"],
  );
  assert.is(headline(comparison), "coverage 70.0 % → 65.0 %");
});

test("follows_what_the_end_waited_for_by_needs_alone", () => {
  const spans = [
    span("lint", 0, 5),
    span("test", 0, 50),
    span("build", 50, 60, { needs: ["lint", "test"] }),
    span("types", -9000, 999, { cached: true }),
  ];
  assert.equal(criticalPath(spans), ["test", "build"]);
  assert.equal(criticalPath(spans.slice(0, 2)), ["test"]);
  assert.equal(criticalPath([]), []);
  assert.is(wallClock(spans), 60);
});

test("ends_where_steps_need_each_other_in_a_circle", () => {
  const spans = [span("a", 0, 1, { needs: ["b"] }), span("b", 0, 2, { needs: ["a"] })];
  assert.equal(criticalPath(spans), ["a", "b"]);
});

test("cuts_idle_hours_out_of_the_axis", () => {
  const { stretches, at } = axisOf([span("old", 0, 1000), span("new", 9_000_000, 9_003_000)]);
  assert.is(stretches.length, 2);
  assert.is(at(0), 0);
  assert.ok(at(1000) < 0.25 && at(9_000_000) > at(1000));
  assert.ok(Math.abs(at(9_003_000) - 1) < 1e-9);
});

test("draws_only_what_ran", () => {
  assert.equal(
    spansOf(fullReport()).map(({ name }) => name),
    ["types", "lint", "test", "build"],
  );
});

test("leaves_no_text_of_a_report_to_the_html_parser", () => {
  const html = reportPage("<!--slipway:title-->|<!--slipway:data-->", fullReport());
  const [title = "", data = ""] = html.split("|");
  assert.not.match(html, /<[a-z/!]/i);
  assert.match(title, "&lt;/script&gt;");
  const { report } = JSON.parse(data) as { report: Report };
  assert.is(report.project.name, `iris ${HOSTILE}`);
});

test.run();
