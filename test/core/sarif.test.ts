import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as z from "zod";
import type { CheckResult, Finding } from "../../src/core/check.js";
import { toSarif, type SarifOptions } from "../../src/core/sarif.js";
import { officialSarif } from "./official-sarif.js";
import { generator } from "./random.js";
import { finding, result } from "./runs.js";

const official = await officialSarif();
const test = suite("SARIF");

// What GitHub asks of an upload; strict, so that nothing unknown slips in.
const text = z.strictObject({ text: z.string().min(1) });
const level = z.enum(["error", "warning", "note"]);
const uploaded = z.strictObject({
  $schema: z.url(),
  version: z.literal("2.1.0"),
  runs: z.tuple([
    z.strictObject({
      tool: z.strictObject({
        driver: z.strictObject({
          name: z.string().min(1),
          version: z.string().optional(),
          informationUri: z.url(),
          rules: z.array(
            z.strictObject({
              id: z.string().min(1),
              name: z.string().optional(),
              shortDescription: text,
              fullDescription: text,
              help: text,
              helpUri: z.url().optional(),
              defaultConfiguration: z.strictObject({ level }),
              properties: z.strictObject({
                tags: z.array(z.string()),
                "security-severity": z.string().optional(),
              }),
            }),
          ),
        }),
      }),
      automationDetails: z.strictObject({ id: z.string().regex(/^slipway\/([\w -]+\/)+$/) }),
      invocations: z.tuple([z.strictObject({ executionSuccessful: z.literal(true) })]),
      columnKind: z.literal("unicodeCodePoints"),
      results: z.array(
        z.strictObject({
          ruleId: z.string().min(1),
          ruleIndex: z.int().min(0),
          level,
          message: text,
          locations: z.tuple([
            z.strictObject({
              physicalLocation: z.strictObject({
                artifactLocation: z.strictObject({
                  uri: z.string().regex(/^[\x21-\x7e]+$/),
                  uriBaseId: z.literal("%SRCROOT%").optional(),
                }),
                region: z.strictObject({
                  startLine: z.int().min(1),
                  startColumn: z.int().min(1).optional(),
                  endLine: z.int().min(1).optional(),
                  endColumn: z.int().min(1).optional(),
                }),
              }),
            }),
          ]),
          partialFingerprints: z.strictObject({
            primaryLocationLineHash: z.string().regex(/^[0-9a-f]{32}:\d+$/),
          }),
        }),
      ),
    }),
  ]),
});
type Run = z.infer<typeof uploaded>["runs"][0];

function sarifOf(
  findings: Finding[],
  given: Partial<CheckResult> = {},
  options: SarifOptions = {},
): Run {
  const sarif = toSarif(
    result({ state: findings.length > 0 ? "FAILED" : "PASSED", findings, ...given }),
    options,
  );
  assert.ok(sarif);
  assert.equal(official(sarif.text), []);
  return uploaded.parse(JSON.parse(sarif.text)).runs[0];
}
const hashes = (run: Run): string[] =>
  run.results.map((one) => one.partialFingerprints.primaryLocationLineHash);

test("is_held_to_the_official_schema", () => {
  const { text: whole = "" } = toSarif(result({ state: "FAILED", findings: [finding()] })) ?? {};
  assert.equal(official(whole), []);
  for (const [right, wrong] of [
    ['"version":"2.1.0"', '"version":"2.2"'],
    ['"startLine":', '"startsAt":'],
    ['"ruleIndex":0', '"ruleIndex":-2'],
    ['"level":"error"', '"level":"fatal"'],
  ] as const) {
    assert.ok(whole.includes(right), right);
    assert.ok(official(whole.replace(right, wrong)).length > 0, wrong);
  }
});

test("names_files_from_the_repositorys_root_when_the_project_lies_in_a_folder", () => {
  const place = (file: string | undefined, folder: string): unknown => {
    const run = sarifOf([finding(file === undefined ? { line: 1 } : { file })], {}, { folder });
    return run.results[0]?.locations[0].physicalLocation.artifactLocation;
  };
  const uriBaseId = "%SRCROOT%";
  for (const folder of ["services/or ders", "./services/or ders/", "/services/or ders"])
    assert.equal(place("src/a.py", folder), { uri: "services/or%20ders/src/a.py", uriBaseId });
  assert.equal(place("src/a.py", "."), { uri: "src/a.py", uriBaseId });
  assert.equal(place("../shared/a.py", "orders"), { uri: "shared/a.py", uriBaseId });
  assert.equal(place("/usr/lib/a.py", "orders"), { uri: "file:///usr/lib/a.py" });
});

test("gives_each_folder_a_category_of_its_own", () => {
  const category = (folder: string): string =>
    sarifOf([finding()], {}, { folder }).automationDetails.id;
  assert.is(category("."), "slipway/ruff/");
  assert.is(category("./services/orders"), "slipway/ruff/services/orders/");
  assert.is(category("/mail/"), "slipway/ruff/mail/");
});

test("has_one_run_with_rules_levels_and_places", () => {
  const run = sarifOf(
    [
      finding({
        ruleName: "unused-import",
        helpUri: "https://docs.example/F401",
        endLine: 3,
        endColumn: 12,
      }),
      finding({ ruleId: "E1" }),
    ],
    {
      version: "0.17.6",
    },
  );
  assert.is(run.tool.driver.version, "0.17.6");
  assert.equal(
    run.tool.driver.rules.map((rule) => rule.id),
    ["F401", "E1"],
  );
  assert.is(run.tool.driver.rules[0]?.shortDescription.text, "F401: unused-import");
  assert.is(run.tool.driver.rules[0]?.help.text, "Explained at https://docs.example/F401");
  assert.is(run.results[1]?.ruleIndex, 1);
  assert.equal(run.results[0]?.locations[0].physicalLocation, {
    artifactLocation: { uri: "src/app.py", uriBaseId: "%SRCROOT%" },
    region: { startLine: 3, startColumn: 8, endLine: 3, endColumn: 12 },
  });
});

test("is_empty_for_a_check_that_passed_and_absent_for_one_that_says_nothing", () => {
  assert.is(sarifOf([]).results.length, 0);
  assert.is(toSarif(result({ state: "SKIPPED", reason: "off" })), undefined);
  assert.is(
    toSarif(result({ state: "ERRORED", reason: "crash", findings: [finding()] })),
    undefined,
  );
});

test("keeps_fingerprints_when_lines_move_and_changes_them_with_the_line", () => {
  const source = (...lines: string[]): SarifOptions => ({
    sources: new Map([["src/app.py", lines]]),
  });
  const [before] = hashes(sarifOf([finding({ line: 1 })], {}, source("import os")));
  const [moved] = hashes(sarifOf([finding({ line: 3 })], {}, source("#", "#", "  import   os")));
  const [changed] = hashes(sarifOf([finding({ line: 1 })], {}, source("import re")));
  const [otherRule] = hashes(
    sarifOf([finding({ line: 1, ruleId: "F402" })], {}, source("import os")),
  );
  assert.is(moved, before);
  assert.is.not(changed, before);
  assert.is.not(otherRule, before);
});

test("keeps_fingerprints_without_source_when_lines_move", () => {
  assert.equal(hashes(sarifOf([finding({ line: 1 })])), hashes(sarifOf([finding({ line: 99 })])));
  assert.is.not(
    hashes(sarifOf([finding()]))[0],
    hashes(sarifOf([finding({ file: "src/b.py" })]))[0],
  );
});

test("tells_equal_findings_of_a_file_apart", () => {
  const [a = "", b = ""] = hashes(sarifOf([finding({ line: 9 }), finding({ line: 2 })]));
  assert.is(a.split(":")[0], b.split(":")[0]);
  assert.equal(
    [a, b].map((one) => one.split(":")[1]),
    ["2", "1"],
  );
});

test("keeps_the_gravest_within_the_limit_and_says_so", () => {
  const findings = Array.from({ length: 30 }, (_, index) =>
    finding({ line: index + 1, level: index < 25 ? "note" : "error" }),
  );
  const sarif = toSarif(result({ state: "FAILED", findings }), { mostResults: 10 });
  const run = uploaded.parse(JSON.parse(sarif?.text ?? "")).runs[0];
  assert.is(run.results.length, 10);
  assert.is(run.results.filter((one) => one.level === "error").length, 5);
  assert.match(sarif?.notice ?? "", "the 10 gravest of 30 findings");
  assert.is(toSarif(result({ state: "FAILED", findings }))?.notice, undefined);
});

test("holds_githubs_limit_of_results", () => {
  const findings = Array.from({ length: 25_001 }, (_, index) => finding({ line: index + 1 }));
  const sarif = toSarif(result({ state: "FAILED", findings }));
  assert.equal(official(sarif?.text ?? ""), []);
  assert.is(
    (JSON.parse(sarif?.text ?? "") as { runs: [{ results: unknown[] }] }).runs[0].results.length,
    25_000,
  );
  assert.match(sarif?.notice ?? "", "25000");
});

test("encodes_file_names_and_stands_in_for_missing_ones", () => {
  const uri = (file: string | undefined, options: SarifOptions = {}): string => {
    const one: Finding = {
      ruleId: "F401",
      level: "error",
      message: "unused",
      ...(file === undefined ? {} : { file }),
    };
    return (
      sarifOf([one], {}, options).results[0]?.locations[0].physicalLocation.artifactLocation.uri ??
      ""
    );
  };
  assert.is(uri('src/my "file"\né#1.py'), "src/my%20%22file%22%0A%C3%A9%231.py");
  assert.is(uri("/usr/lib/x.py"), "file:///usr/lib/x.py");
  assert.is(uri(undefined), "pyproject.toml");
  assert.is(uri(undefined, { fallbackFile: "requirements.txt" }), "requirements.txt");
});

test("marks_security_rules_with_a_severity", () => {
  const run = sarifOf([finding({ ruleId: "B602", level: "warning" })], {
    name: "bandit",
    tool: "bandit",
  });
  assert.equal(run.tool.driver.rules[0]?.properties, {
    tags: ["security"],
    "security-severity": "5.0",
  });
});

test("is_valid_for_random_findings", () => {
  const random = generator(21);
  for (let round = 0; round < 300; round++) {
    const findings = Array.from({ length: random.int(5) }, () =>
      finding({
        ruleId: `R${random.int(3)}`,
        message: random.text(30),
        file: `src/${random.text(12)}x`,
        line: random.int(4),
        column: random.int(4),
        endLine: random.int(4),
        endColumn: random.int(4),
        level: random.pick(["error", "warning", "note"]),
      }),
    );
    const run = sarifOf(findings);
    for (const one of run.results) assert.is(run.tool.driver.rules[one.ruleIndex]?.id, one.ruleId);
  }
});

test("says_nothing_of_a_check_that_was_stopped_since_that_would_close_its_alerts", () => {
  assert.is(toSarif(result({ state: "FAILED", findings: [] })), undefined);
});

test.run();
