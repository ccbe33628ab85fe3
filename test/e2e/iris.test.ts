// The service that Slipway is made for, through all checks; then edited, then left alone.
import { randomUUID } from "node:crypto";
import { appendFile, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";

import { readReport } from "../../src/core/report/report.js";
import { ADVISORIES } from "../../ci/sandbox/advisories.js";
import { officialSarif } from "../core/official-sarif.js";
import { check, checkOf, states, type Checked } from "./support/checks.js";
import { copyOf, IRIS, scratch } from "./support/project.js";
import { openSession } from "./support/session.js";

const folder = await scratch();
const source = await copyOf(IRIS, join(folder.path, "iris"));
const reports = join(folder.path, "reports");
const session = await openSession();
await session.serve();

const run = (): Promise<Checked> =>
  check(session, source, { advisories: ADVISORIES, exportTo: reports });

const test = suite("iris");
test.after(async () => {
  await session.close();
  await folder.forget();
});

let first: Checked | undefined;

test("passes_all_its_checks", async () => {
  first = await run();
  assert.equal(states(first.report), {
    lint: "PASSED",
    format: "PASSED",
    types: "PASSED",
    test: "PASSED",
    bandit: "PASSED",
    pipAudit: "PASSED",
    safety: "SKIPPED",
  });
  assert.is(first.passed, true);
});

test("finds_all_its_tests_and_measures_their_coverage", async () => {
  const { tests, coverage = 0 } = checkOf((first ?? (await run())).report, "test");
  assert.equal(
    { ...tests, seconds: 0 },
    { tests: 259, failed: 0, errors: 0, skipped: 0, seconds: 0 },
  );
  assert.ok(coverage > 90, `${coverage} % covered`);
});

test("says_why_safety_is_skipped_and_uses_the_tools_that_the_lock_file_pins", async () => {
  const { report } = first ?? (await run());
  assert.match(checkOf(report, "safety").reason ?? "", /needs a key/);
  const lock = await readFile(join(IRIS, "poetry.lock"), "utf8");
  for (const [name, tool] of [
    ["lint", "ruff"],
    ["types", "mypy"],
    ["test", "pytest"],
    ["bandit", "bandit"],
  ] as const) {
    const locked = new RegExp(`name = "${tool}"\\nversion = "(.+?)"`).exec(lock)?.[1];
    assert.is(checkOf(report, name).version, locked, tool);
  }
});

test("leaves_a_complete_folder_of_reports", async () => {
  first ??= await run();
  const files = (await readdir(reports, { recursive: true })).sort();
  assert.equal(files, [
    "coverage.json",
    "coverage.xml",
    "junit.xml",
    "report.html",
    "report.json",
    "sarif",
    "sarif/bandit.sarif",
    "sarif/mypy.sarif",
    "sarif/pip-audit.sarif",
    "sarif/pytest.sarif",
    "sarif/ruff-format.sarif",
    "sarif/ruff.sarif",
    "summary.md",
  ]);
  const text = (name: string): Promise<string> => readFile(join(reports, name), "utf8");
  assert.equal(readReport(await text("report.json")), first.report);
  assert.match(await text("junit.xml"), /<testsuite [^>]*tests="259"/);
  assert.match(await text("coverage.xml"), /<coverage [^>]*line-rate="0\.9\d+|"1"/);
  assert.ok("totals" in (JSON.parse(await text("coverage.json")) as object));
  assert.match(await text("summary.md"), /259 tests/);
  const official = await officialSarif();
  for (const file of files.filter((name) => name.endsWith(".sarif"))) {
    assert.equal(official(await text(file)), [], file);
    const { version, runs } = JSON.parse(await text(file)) as {
      version: string;
      runs: { tool: { driver: { name: string } }; results: unknown[] }[];
    };
    assert.is(version, "2.1.0", file);
    assert.is(runs.length, 1, file);
    assert.equal(runs[0]?.results, [], file);
    assert.is(`sarif/${runs[0]?.tool.driver.name ?? ""}.sarif`, file);
  }
});

/** Commands that ran since the last look, as the engine names them. */
const commands = (): string[] => session.ran().filter((name) => name.startsWith("exec "));

test("runs_no_command_when_nothing_changed", async () => {
  first ??= await run();
  commands();
  const again = await run();
  assert.equal(commands(), []);
  assert.equal(again.report, first.report);
});

test("installs_nothing_after_an_edit_of_the_source", async () => {
  first ??= await run();
  commands();
  // Never seen before, also not by an earlier run on this cache.
  await appendFile(join(source, "src/iris_service/app.py"), `\n\n# ${randomUUID()}\n`);
  const edited = await run();
  assert.is(edited.passed, true);
  const ran = commands();
  assert.equal(
    ran.filter((name) =>
      /\b(install|compile|export|venv|build)\b/.test(name.split(" -- ")[0] ?? ""),
    ),
    [],
  );
  for (const tool of ["pytest", "mypy", "ruff check", "ruff format", "bandit"]) {
    const runs = ran.filter((name) => name.split(" -- ")[1]?.includes(tool));
    assert.is(runs.length, 1, `${tool} in\n${ran.join("\n")}`);
  }
});

test.run();
