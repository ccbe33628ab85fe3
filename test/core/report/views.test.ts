import { suite } from "uvu";
import * as assert from "uvu/assert";
import { escape, markdown } from "../../../src/core/report/markdown.js";
import { makeReport, type Report } from "../../../src/core/report/report.js";
import { summary } from "../../../src/core/report/summary.js";
import { columns } from "../../../src/core/text.js";
import { generator } from "../random.js";
import { finding, result } from "../runs.js";

const test = suite("what people see of a report");
const PROJECT = { name: "iris", version: "1.0.0", kind: "poetry", python: "3.13" };
const REPORT = makeReport(
  PROJECT,
  new Date(0),
  [
    result({
      version: "0.17.6",
      state: "FAILED",
      reason: "12 findings in 1 file",
      findings: Array.from({ length: 12 }, (_, index) => finding({ line: index + 1 })),
    }),
    result({
      name: "types",
      tool: "mypy",
      state: "ERRORED",
      reason: "mypy exited with 2\nmypy: error: unknown flag",
    }),
    result({
      name: "test",
      tool: "pytest",
      tests: { tests: 128, failed: 0, errors: 0, skipped: 2, seconds: 9 },
      coverage: 91.27,
      durationMs: 65_000,
      slowest: [{ name: "t::slow", seconds: 2.5 }],
    }),
    result({
      name: "safety",
      tool: "safety",
      state: "SKIPPED",
      reason: "needs a key",
      durationMs: 0,
    }),
  ],
  ["an entry expired"],
);

test("the_summary_marks_what_ran_for_an_earlier_call", () => {
  const kept = result({ name: "types", tool: "mypy", cached: true });
  const report = makeReport(PROJECT, new Date(0), [kept, result({ state: "PASSED" })], []);
  assert.match(summary(report), /^types +ok +[\d.]+ m?s +kept$/m);
  assert.not.match(summary(report), /^lint .*kept$/m);
  assert.match(markdown(report), /types.*kept/);
});

test("the_summary_shows_states_reasons_and_findings", () => {
  assert.is(
    summary(REPORT, { findings: 2 }),
    `iris 1.0.0 (poetry, Python 3.13)

lint    FAILED       1.2 s  12 findings in 1 file
types   ERRORED      1.2 s  mypy exited with 2
test    ok       1 min 5 s  128 tests, 2 skipped, coverage 91.2 %
safety  skipped       0 ms  needs a key

lint (ruff 0.17.6) FAILED
  src/app.py:1:8 F401 unused
  src/app.py:2:8 F401 unused
  … and 10 more: see report.json

types (mypy) ERRORED
  mypy exited with 2
  mypy: error: unknown flag

note: an entry expired

FAILED: 1 check passed, 1 failed, 1 errored, 1 skipped
`,
  );
});

test("the_summary_has_colours_only_when_asked", () => {
  assert.not.match(summary(REPORT), "\u001b");
  assert.match(summary(REPORT, { color: true }), "\u001b[31mFAILED");
});

/** A report whose every text is random. */
function randomReport(seed: number): Report {
  const random = generator(seed);
  const findings = Array.from({ length: random.int(8) }, () =>
    finding({
      ruleId: random.text(8),
      message: random.text(200),
      file: random.text(40),
      helpUri: `https://x.example/${random.text(10)}`,
    }),
  );
  const project = { ...PROJECT, name: random.text(20) };
  return makeReport(
    project,
    new Date(0),
    [
      result({
        state: random.pick(["FAILED", "ERRORED"]),
        reason: random.text(80),
        findings,
        slowest: [{ name: random.text(30), seconds: 1 }],
      }),
    ],
    [random.text(50)],
  );
}

test("the_summary_fits_the_width_whatever_it_shows", () => {
  for (let seed = 1; seed < 200; seed++)
    for (const width of [40, 80, 132]) {
      const lines = summary(randomReport(seed), { width })
        .split("\n")
        .filter((line) => !line.startsWith("note:"));
      for (const line of lines.slice(1)) {
        assert.ok(columns(line) <= width, line);
        assert.not.match(line, /[\0-\u001f\u007f\u202e]/);
      }
    }
});

test("the_markdown_shows_everything_in_a_table", () => {
  const text = markdown(REPORT);
  assert.match(text, "| ❌ | lint | ruff 0.17.6 | 1.2 s | 12 findings in 1 file |");
  assert.match(text, "| ⚪ | safety | safety |  | needs a key |");
  assert.match(text, "| src/app.py&#58;1&#58;8 | F401 | unused |");
  assert.match(text, "mypy&#58; error&#58; unknown flag<br>");
  assert.match(text, "| 2.50 s | t&#58;&#58;slow |");
});

test("the_markdown_cannot_be_broken_by_what_it_shows", () => {
  assert.is(escape("<b>|`@x`\n[a](b)"), "&#60;b&#62;&#124;&#96;&#64;x&#96; &#91;a&#93;&#40;b&#41;");
  for (let seed = 1; seed < 300; seed++)
    for (const line of markdown(randomReport(seed)).split("\n")) {
      const cells = line.split("|").length - 1;
      assert.ok([0, 3, 4, 6].includes(cells), line);
      assert.not.match(
        line.replace(/^> /, "").replace(/<\/?(details|summary|b|sub)( open)?>|<br>/g, ""),
        /[<>`\0\u001b\u202e]/,
      );
    }
});

test("the_markdown_is_cut_to_its_size_with_a_notice", () => {
  const findings = Array.from({ length: 200 }, () => finding({ message: "é|".repeat(240) }));
  const names = ["lint", "format", "types", "test", "bandit", "pipAudit", "safety"] as const;
  const report = makeReport(
    PROJECT,
    new Date(0),
    names.map((name) => result({ name, state: "FAILED", reason: "x", findings })),
  );
  const text = markdown(report);
  assert.ok(Buffer.byteLength(text) <= 1024 * 1024);
  assert.ok(Buffer.byteLength(text) > 1000 * 1024);
  assert.match(text, "The rest was cut: see report.json.");
  assert.not.match(markdown(REPORT), "The rest was cut");
});

test.run();
