// Each fixture fails in the one stage that its name says, at the place that is wrong; every other
// check of the same project ends well.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { suite } from "uvu";
import * as assert from "uvu/assert";

import type { CheckName } from "../../src/core/check.js";
import { ADVISORIES } from "../../ci/sandbox/advisories.js";
import { officialSarif } from "../core/official-sarif.js";
import { check, checkOf, slipway, states, type Checked } from "./support/checks.js";
import { fixture, scratch, write } from "./support/project.js";
import { openSession, type Session } from "./support/session.js";

const session = await openSession();
await session.serve();

/** What all checks of a project without dependencies give when nothing is wrong. */
const WELL = {
  lint: "PASSED",
  format: "PASSED",
  types: "PASSED",
  test: "PASSED",
  bandit: "PASSED",
  pipAudit: "SKIPPED",
  safety: "SKIPPED",
};

const test = suite("one stage fails");
test.after(async () => {
  await session.close();
});

function run(own: Session, name: string): Promise<Checked> {
  return check(own, fixture(name), { advisories: ADVISORIES });
}

/** `file:line rule` of each finding of a check, in order. */
function places({ report }: Checked, name: CheckName): string[] {
  return checkOf(report, name).findings.map(
    ({ file, line, ruleId }) => `${file ?? "?"}:${line ?? "?"} ${ruleId}`,
  );
}

const CASES: readonly (readonly [fixture: string, stage: CheckName, places: string[]])[] = [
  ["lint-error", "lint", ["src/words.py:3 F401"]],
  ["type-error", "types", ["src/words.py:6 return-value"]],
  ["failing-test", "test", ["tests/test_prices.py:11 test-failure"]],
  ["insecure-call", "bandit", ["src/tokens.py:8 B324"]],
];

for (const [name, stage, expected] of CASES) {
  test(`fails_only_${stage}_where_${name.replaceAll("-", "_")}_is_wrong`, async () => {
    const checked = await run(session, name);
    assert.equal(states(checked.report), { ...WELL, [stage]: "FAILED" });
    assert.equal(places(checked, stage), expected);
    assert.is(checked.passed, false);
    assert.is(checked.report.state, "FAILED");
  });
}

test("fails_only_format_where_format_error_is_wrong", async () => {
  const checked = await run(session, "format-error");
  assert.equal(states(checked.report), { ...WELL, format: "FAILED" });
  const [finding] = checkOf(checked.report, "format").findings;
  assert.is(finding?.file, "src/words.py");
});

test("fails_only_the_audit_of_a_vulnerable_dependency", async () => {
  const checked = await run(session, "vulnerable-dependency");
  assert.equal(states(checked.report), { ...WELL, pipAudit: "FAILED" });
  const found = checkOf(checked.report, "pipAudit").findings;
  const named = found.map(({ ruleId, message }) => `${ruleId} ${message}`).join("\n");
  assert.match(named, /GHSA-jjg7-2v4v-x38h|CVE-2024-3651|PYSEC-2024-60/);
  assert.match(named, /idna/);
  assert.equal([...new Set(found.map(({ file }) => file))], ["requirements.txt"]);
});

test("writes_as_much_sarif_as_code_scanning_takes_of_25_001_findings_and_says_so", async () => {
  const folder = await scratch();
  try {
    const source = join(folder.path, "source");
    const lines = Array.from({ length: 25_001 }, (_, index) => `import os as a${index}\n`);
    await write(source, {
      "pyproject.toml": '[project]\nname = "many"\nversion = "1"\nrequires-python = ">=3.11"\n',
      "src/many.py": lines.join(""),
    });
    const exportTo = join(folder.path, "reports");
    const { report } = await check(session, source, { only: ["lint"], exportTo });
    assert.is(checkOf(report, "lint").state, "FAILED");
    assert.match(report.notices.join("\n"), "the 25000 gravest of 25001 findings");
    const text = await readFile(join(exportTo, "sarif", "ruff.sarif"), "utf8");
    assert.equal((await officialSarif())(text), []);
    const { runs } = JSON.parse(text) as { runs: { results: unknown[] }[] };
    assert.is(runs[0]?.results.length, 25_000);
    assert.ok(gzipSync(text).length < 10_000_000);
  } finally {
    await folder.forget();
  }
});

test("fails_a_single_check_with_what_it_found", async () => {
  const source = await session.directory(fixture("lint-error"));
  try {
    await session.query(
      `{ slipway(source: ${JSON.stringify(source)}, set: ["python.version=3.13"]) { lint } }`,
    );
  } catch (error) {
    assert.match((error as Error).message, /src\/words\.py:3:8 F401/);
    return;
  }
  assert.unreachable("lint did not throw");
});

test("compares_with_the_report_of_an_earlier_run_that_is_given", async () => {
  const page = async (more: string): Promise<string> => {
    const answer = await session.query<{
      slipway: { checks: { reports: { file: { contents: string } } } };
    }>(
      `{ ${await slipway(session, fixture("lint-error"))} { checks(only: ["lint"]${more}) { reports { file(path: "report.html") { contents } } } } }`,
    );
    return answer.slipway.checks.reports.file.contents;
  };
  const without = /<script type="application\/json" id="data">(.*)<\/script>/.exec(await page(""));
  const { report } = JSON.parse(without?.[1] ?? "{}") as { report: { checks: object[] } };
  const earlier = { ...report, checks: report.checks.map((one) => ({ ...one, findings: [] })) };
  const { directory } = await session.query<{
    directory: { withNewFile: { file: { id: string } } };
  }>(
    `{ directory { withNewFile(path: "report.json", contents: ${JSON.stringify(JSON.stringify(earlier))}) { file(path: "report.json") { id } } } }`,
  );
  const { id } = directory.withNewFile.file;
  assert.not.match(without?.[1] ?? "", '"previous":');
  assert.match(await page(`, previous: ${JSON.stringify(id)}`), '"previous":');
});

test("lets_a_check_pass_that_has_nothing_to_do_with_the_failure", async () => {
  const source = await session.directory(fixture("lint-error"));
  await session.query(
    `{ slipway(source: ${JSON.stringify(source)}, set: ["python.version=3.13"]) { format } }`,
  );
});

test.run();
