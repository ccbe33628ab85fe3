import { suite } from "uvu";
import * as assert from "uvu/assert";
import { auditVerdict } from "../../../src/core/verdicts/audit.js";
import { banditVerdict } from "../../../src/core/verdicts/bandit.js";
import { typesVerdict } from "../../../src/core/verdicts/mypy.js";
import { formatVerdict, lintVerdict } from "../../../src/core/verdicts/ruff.js";
import { safetyVerdict, safetyWithoutKey } from "../../../src/core/verdicts/safety.js";
import { run } from "../runs.js";

const test = suite("verdicts of the tools");

const ruffEntry = {
  cell: null,
  code: "F401",
  name: "unused-import",
  filename: "/src/app/my file.py",
  location: { row: 1, column: 8 },
  end_location: { row: 1, column: 10 },
  message: "`os` imported but unused",
  severity: "error",
  url: "https://docs.astral.sh/ruff/rules/unused-import",
};

test("lint_passes_without_findings", () => {
  assert.equal(lintVerdict(run({ report: "[]", version: "0.17.6" }), "/src"), {
    name: "lint",
    tool: "ruff",
    version: "0.17.6",
    durationMs: 1200,
    state: "PASSED",
    findings: [],
  });
});

test("lint_fails_with_place_rule_and_help", () => {
  const verdict = lintVerdict(run({ exitCode: 1, stdout: JSON.stringify([ruffEntry]) }), "/src");
  assert.is(verdict.state, "FAILED");
  assert.is(verdict.reason, "1 finding in 1 file");
  assert.equal(verdict.findings, [
    {
      ruleId: "F401",
      ruleName: "unused-import",
      level: "error",
      message: "`os` imported but unused",
      file: "app/my file.py",
      line: 1,
      column: 8,
      endLine: 1,
      endColumn: 10,
      helpUri: "https://docs.astral.sh/ruff/rules/unused-import",
    },
  ]);
});

test("lint_says_how_ruff_would_repair_a_finding", () => {
  const fixed = { ...ruffEntry, fix: { message: "Remove unused import: `os`", edits: [] } };
  const stdout = JSON.stringify([fixed, { ...ruffEntry, fix: null }]);
  assert.equal(
    lintVerdict(run({ exitCode: 1, stdout }), "/src").findings.map(({ fix }) => fix),
    ["Remove unused import: `os`", undefined],
  );
});

test("lint_fails_on_syntax_errors_and_is_errored_on_files_it_cannot_read", () => {
  const syntax = { ...ruffEntry, code: null, url: null };
  assert.is(
    lintVerdict(run({ exitCode: 1, report: JSON.stringify([syntax]) }), "/src").findings[0]?.ruleId,
    "invalid-syntax",
  );
  const unreadable = { ...ruffEntry, code: "E902", message: "No such file" };
  assert.is(
    lintVerdict(run({ exitCode: 1, report: JSON.stringify([unreadable]) }), "/src").state,
    "ERRORED",
  );
});

test("lint_and_format_are_errored_when_they_examined_nothing", () => {
  const nothing = run({
    report: "[]",
    stderr: "warning: No Python files found under the given path(s)\n",
  });
  assert.is(lintVerdict(nothing, "/src").state, "ERRORED");
  assert.is(formatVerdict(nothing, "/src").state, "ERRORED");
  const missing = { ...ruffEntry, code: "io", message: "No such file or directory" };
  const told = run({ exitCode: 2, report: JSON.stringify([missing]) });
  assert.is(formatVerdict(told, "/src").state, "ERRORED");
});

test("lint_is_errored_when_exit_code_and_report_contradict_each_other", () => {
  assert.is(lintVerdict(run({ exitCode: 1, report: "[]" }), "/src").state, "ERRORED");
  assert.is(
    lintVerdict(run({ exitCode: 0, report: JSON.stringify([ruffEntry]) }), "/src").state,
    "FAILED",
  );
});

test("format_counts_files_also_when_one_cannot_be_parsed", () => {
  const entries = [
    { ...ruffEntry, code: "unformatted" },
    { ...ruffEntry, code: "invalid-syntax", filename: "/src/b.py" },
  ];
  const verdict = formatVerdict(run({ exitCode: 2, stdout: JSON.stringify(entries) }), "/src");
  assert.is(verdict.state, "FAILED");
  assert.is(verdict.reason, "2 files not formatted");
});

const mypyLine = (more: object = {}): string =>
  JSON.stringify({
    file: "src/a.py",
    line: 4,
    column: 11,
    message: "Incompatible",
    hint: null,
    code: "return-value",
    severity: "error",
    ...more,
  });

test("types_passes_in_silence_and_with_notes", () => {
  assert.is(typesVerdict(run(), "/src").state, "PASSED");
  assert.is(
    typesVerdict(run({ stdout: `${mypyLine({ severity: "note" })}\n` }), "/src").state,
    "PASSED",
  );
});

test("types_fails_with_columns_counted_from_one", () => {
  const verdict = typesVerdict(
    run({ exitCode: 1, stdout: `${mypyLine()}\n${mypyLine({ line: -1, column: -1 })}\n` }),
    "/src",
  );
  assert.is(verdict.reason, "2 errors in 1 file");
  assert.is(verdict.findings[0]?.column, 12);
  assert.is(verdict.findings[1]?.line, undefined);
});

test("types_fails_on_a_syntax_error_and_is_errored_without_findings", () => {
  const syntax = run({ exitCode: 2, stdout: `${mypyLine({ code: "syntax" })}\nFound 1 error\n` });
  assert.is(typesVerdict(syntax, "/src").state, "FAILED");
  assert.is(
    typesVerdict(run({ exitCode: 2, stdout: "mypy: error: unknown flag" }), "/src").state,
    "ERRORED",
  );
  assert.is(typesVerdict(run({ exitCode: 1, stdout: "a.py went wrong" }), "/src").state, "ERRORED");
});

/** What mypy 1.10.1 prints with the options for it. */
const OLD_MYPY = `src/a.py:2:12: error: Incompatible return value type (got "int", expected "str")  [return-value]
src/a.py:8:1: error: Cannot find implementation or library stub for module named "os.nothere"  [import-not-found]
src/a.py:8:1: note: See https://mypy.readthedocs.io/en/stable/running_mypy.html#missing-imports
src/odd name:1:2.py:1:10:1:11: error: Incompatible types: "a: b"  [assignment]
src/b.py: error: Source file found twice under different module names: "b" and "src.b"
`;

test("types_reads_the_text_of_a_mypy_that_writes_no_json", () => {
  const verdict = typesVerdict(run({ exitCode: 1, stdout: OLD_MYPY }), "/src");
  assert.is(verdict.state, "FAILED");
  assert.is(verdict.reason, "4 errors in 3 files");
  assert.equal(
    verdict.findings.map(({ file, line, column, ruleId }) => [file, line, column, ruleId]),
    [
      ["src/a.py", 2, 12, "return-value"],
      ["src/a.py", 8, 1, "import-not-found"],
      ["src/odd name:1:2.py", 1, 10, "assignment"],
      ["src/b.py", undefined, undefined, "misc"],
    ],
  );
  assert.is(
    verdict.findings[0]?.message,
    'Incompatible return value type (got "int", expected "str")',
  );
  const syntax = run({ exitCode: 2, stdout: "a.py:1:8: error: invalid syntax  [syntax]\n" });
  assert.is(typesVerdict(syntax, "/src").findings[0]?.column, 7);
  assert.is(typesVerdict(run({ stdout: "a.py:1:2: note: A note\n" }), "/src").state, "PASSED");
});

const banditReport = (severities: string[], errors: object[] = [], loc = 12): string =>
  JSON.stringify({
    errors,
    metrics: { _totals: { loc } },
    results: severities.map((issue_severity) => ({
      filename: "./src/a.py",
      line_number: 5,
      col_offset: 0,
      issue_severity,
      issue_confidence: "MEDIUM",
      issue_text: "shell=True",
      more_info: "https://bandit.readthedocs.io/x",
      test_id: "B602",
      test_name: "subprocess_popen",
    })),
  });
const all = { severity: "low", confidence: "low" } as const;

test("bandit_leaves_out_what_is_below_the_limits", () => {
  const report = banditReport(["LOW", "MEDIUM", "HIGH"]);
  const levels = (least: Parameters<typeof banditVerdict>[2]): string[] =>
    banditVerdict(run({ exitCode: 1, report }), "/src", least).findings.map((one) => one.level);
  assert.equal(levels(all), ["note", "warning", "error"]);
  assert.equal(levels({ severity: "high", confidence: "low" }), ["error"]);
  assert.equal(levels({ severity: "low", confidence: "high" }), []);
  const verdict = banditVerdict(run({ exitCode: 1, report }), "/src", {
    severity: "low",
    confidence: "high",
  });
  assert.is(verdict.state, "PASSED");
  assert.is(banditVerdict(run({ exitCode: 1, report }), "/src", all).findings[0]?.file, "src/a.py");
});

test("bandit_is_errored_when_it_examined_no_code", () => {
  const verdict = banditVerdict(run({ report: banditReport([], [], 0) }), "/src", all);
  assert.is(verdict.state, "ERRORED");
  assert.match(verdict.reason ?? "", /examined no code: correct exclude_dirs/);
  assert.is(banditVerdict(run({ report: banditReport([]) }), "/src", all).state, "PASSED");
});

test("bandit_is_errored_when_a_file_could_not_be_examined_although_it_exits_with_0", () => {
  const errors = [{ filename: "./nothere", reason: "No such file or directory" }];
  const verdict = banditVerdict(run({ report: banditReport([], errors) }), "/src", all);
  assert.is(verdict.state, "ERRORED");
  assert.match(verdict.reason ?? "", "could not examine 1 file: nothere: No such file");
});

const advisory = {
  id: "PYSEC-1",
  aliases: ["CVE-2026-1"],
  fix_versions: ["2.11"],
  description: "escape\nit",
};
const auditReport = (...dependencies: object[]): string =>
  JSON.stringify({ dependencies, fixes: [] });
const vulnerable = { name: "jinja2", version: "2.10", vulns: [advisory] };
const fine = { name: "idna", version: "3.10", vulns: [] };
const options = { ignore: [], today: "2026-11-23", file: "poetry.lock" };

test("audit_passes_when_every_dependency_was_audited", () => {
  assert.is(auditVerdict(run({ report: auditReport(fine) }), options).state, "PASSED");
});

test("audit_fails_with_package_version_and_fix", () => {
  const verdict = auditVerdict(
    run({ exitCode: 1, report: auditReport(fine, vulnerable) }),
    options,
  );
  assert.is(verdict.reason, "1 advisory in 1 package");
  assert.is(verdict.findings[0]?.message, "jinja2 2.10: escape it Fixed in: 2.11.");
  assert.is(verdict.findings[0]?.file, "poetry.lock");
});

test("audit_is_errored_when_a_dependency_was_skipped_although_it_exits_with_0", () => {
  const verdict = auditVerdict(
    run({ report: auditReport(fine, { name: "ours", skip_reason: "not found" }) }),
    options,
  );
  assert.is(verdict.state, "ERRORED");
  assert.match(verdict.reason ?? "", "1 dependency could not be audited: ours (not found)");
  const both = auditVerdict(
    run({ exitCode: 1, report: auditReport(vulnerable, { name: "a", skip_reason: "x" }) }),
    options,
  );
  assert.is(both.state, "ERRORED");
  assert.is(both.findings.length, 1, "what was found is still shown");
});

test("audit_is_errored_when_there_was_nothing_to_audit", () => {
  assert.is(auditVerdict(run({ report: auditReport() }), options).state, "ERRORED");
});

test("audit_ignores_by_id_or_alias_until_the_day_it_expires", () => {
  const verdict = (id: string, expires: string): string =>
    auditVerdict(run({ exitCode: 1, report: auditReport(vulnerable) }), {
      ...options,
      ignore: [{ id, reason: "not reachable", expires }],
    }).state;
  assert.is(verdict("cve-2026-1", "2026-11-23"), "PASSED");
  assert.is(verdict("PYSEC-1", "2027-01-01"), "PASSED");
  assert.is(verdict("PYSEC-1", "2026-11-22"), "FAILED");
  assert.is(verdict("PYSEC-2", "2027-01-01"), "FAILED");
});

const safetyReport = JSON.stringify({
  meta: {},
  scan_results: {
    projects: [
      {
        files: [
          {
            results: {
              dependencies: [
                {
                  name: "jinja2",
                  specifications: [
                    {
                      raw: "jinja2==2.10",
                      vulnerabilities: {
                        known_vulnerabilities: [
                          { id: "70612", ignored: null },
                          { id: "1", ignored: { code: "manual" } },
                        ],
                      },
                    },
                  ],
                },
              ],
            },
          },
        ],
      },
    ],
  },
});

test("safety_fails_with_what_is_not_ignored", () => {
  const verdict = safetyVerdict(run({ exitCode: 64, stdout: safetyReport }), "uv.lock");
  assert.is(verdict.state, "FAILED");
  assert.equal(
    verdict.findings.map((one) => [one.ruleId, one.message, one.file]),
    [["70612", "jinja2==2.10 has a known vulnerability", "uv.lock"]],
  );
});

test("safety_is_errored_by_its_own_error_codes_and_skipped_without_a_key", () => {
  for (const exitCode of [1, 65, 66, 68])
    assert.is(safetyVerdict(run({ exitCode, stdout: safetyReport })).state, "ERRORED");
  assert.is(safetyVerdict(run({ exitCode: 64, stdout: '{"scan_results": {}}' })).state, "ERRORED");
  const scanned = (files: string): string =>
    `{"scan_results": {"projects": [{"files": [${files}]}]}}`;
  assert.is(
    safetyVerdict(run({ stdout: scanned('{"results": {"dependencies": []}}') })).state,
    "PASSED",
  );
  assert.match(safetyVerdict(run({ stdout: scanned("") })).reason ?? "", "no file to scan");
  assert.is(safetyWithoutKey().state, "SKIPPED");
  assert.match(safetyWithoutKey().reason ?? "", "SAFETY_API_KEY");
});

test.run();
