// Sources and test runs that misbehave: each ends with a verdict and a report, none takes Slipway down.
import { chmod, mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";

import { check, checkOf, states, type Checked } from "../e2e/support/checks.js";
import { copyOf, fixture, scratch } from "../e2e/support/project.js";
import { openSession } from "../e2e/support/session.js";

const folder = await scratch();
const session = await openSession();
await session.serve();

const test = suite("misbehaving sources");
test.after(async () => {
  await session.close();
  await folder.forget();
});

const reports = (name: string): string => join(folder.path, `${name}-reports`);

/** Runs the tests of a fixture alone. */
function tested(name: string, set: string[] = []): Promise<Checked> {
  return check(session, fixture(name), { only: ["test"], set, exportTo: reports(name) });
}

test("takes_a_project_without_tests_for_an_error", async () => {
  const { report, passed } = await tested("no-tests");
  const { state, reason = "" } = checkOf(report, "test");
  assert.is(state, "ERRORED");
  assert.match(reason, /no tests were found/);
  assert.is(passed, false);
});

test("skips_an_empty_shard_only_while_others_have_tests_with_workers_or_without", async () => {
  const states = async (name: string, ...set: string[]): Promise<string[]> =>
    await Promise.all(
      ["0", "2"].map(async (workers) => {
        const given = { only: ["test"], set: [`test.workers=${workers}`, ...set] } as const;
        const { report } = await check(session, fixture(name), given);
        return checkOf(report, "test").state;
      }),
    );
  assert.equal(await states("failing-test", "test.shard=1/9"), ["PASSED", "PASSED"]);
  assert.equal(await states("failing-test", "test.shard=2/9"), ["FAILED", "FAILED"]);
  assert.equal(await states("failing-test", "test.shard=9/9"), ["SKIPPED", "SKIPPED"]);
  for (const shard of [[], ["test.shard=1/9"]])
    assert.equal(await states("failing-test", "test.markers=nobody", ...shard), [
      "ERRORED",
      "ERRORED",
    ]);
  assert.equal(await states("no-tests", "test.shard=1/2"), ["ERRORED", "ERRORED"]);
});

test("stops_a_test_that_hangs_and_says_which", async () => {
  const { report } = await tested("hanging-test", ["test.timeout=15"]);
  const { state, reason = "" } = checkOf(report, "test");
  assert.is(state, "FAILED");
  assert.match(reason, /15 s/);
  assert.match(reason, /tests\/test_words\.py::test_waits_for_what_never_comes/);
});

test("keeps_the_report_small_when_a_test_prints_100_megabytes", async () => {
  const { report, summary } = await tested("noisy-test");
  const { state, findings } = checkOf(report, "test");
  assert.is(state, "FAILED");
  assert.match(findings[0]?.message ?? "", /the noise is over/);
  assert.ok(JSON.stringify(report).length < 1_000_000, "the report holds the noise");
  assert.ok(Buffer.byteLength(summary) < 100_000, "the summary holds the noise");
});

test("reports_a_failure_whose_output_is_no_text", async () => {
  const { report, summary } = await tested("binary-output-test");
  const { state, findings } = checkOf(report, "test");
  assert.is(state, "FAILED");
  assert.is(findings.length, 1);
  assert.is(findings[0]?.file, "tests/test_words.py");
  // Nothing that a terminal would obey gets out.
  assert.not.match(summary + JSON.stringify(report), /[\u0000-\u0008\u001b]/);
  const written = await readFile(join(reports("binary-output-test"), "report.json"), "utf8");
  assert.equal(JSON.parse(written), report);
});

test("does_not_take_pytests_exit_code_for_a_pass_when_a_worker_breaks", async () => {
  const { report, passed } = await tested("unreportable-failure");
  assert.is.not(checkOf(report, "test").state, "PASSED");
  assert.is(passed, false);
});

const UNUSED = '"""Unused."""\n\nimport os\n';
const NAMES = [
  "with space.py",
  "with'\"quotes.py",
  "with\nnewline.py",
  "n\u00f6n-ascii-\u96ea.py",
  "-dash.py",
];

test("finds_what_is_wrong_in_files_with_odd_names", async () => {
  const source = await copyOf(fixture("pep621-project"), join(folder.path, "names"));
  for (const name of NAMES) await writeFile(join(source, "tests", name), UNUSED);
  const { report } = await check(session, source, { only: ["lint"] });
  const files = checkOf(report, "lint").findings.map(
    ({ file = "", ruleId }) => `${ruleId} ${file}`,
  );
  assert.equal(
    files.filter((file) => file.startsWith("F401")).sort(),
    NAMES.map((name) => `F401 tests/${name}`).sort(),
  );
});

test("passes_files_of_no_bytes", async () => {
  const source = await copyOf(fixture("pep621-project"), join(folder.path, "empty"));
  for (const name of ["src/hosts/empty.py", "src/hosts/data.bin", "tests/__init__.py", "README.md"])
    await writeFile(join(source, name), "");
  const { report, summary } = await check(session, source, {
    only: ["lint", "format", "types", "test", "bandit"],
  });
  assert.equal(new Set(Object.values(states(report))), new Set(["PASSED"]), summary);
});

test("shows_a_link_out_of_the_source_nothing_of_the_machine", async () => {
  const source = await copyOf(fixture("pep621-project"), join(folder.path, "links"));
  const outside = join(folder.path, "outside");
  await mkdir(outside);
  await writeFile(join(outside, "secret.py"), "import os  # of the machine\n");
  await symlink(outside, join(source, "tests", "folder"));
  await symlink(join(outside, "secret.py"), join(source, "tests", "secret.py"));
  await writeFile(
    join(source, "tests", "test_link.py"),
    `from pathlib import Path\n\n\ndef test_link() -> None:\n    assert not (Path(__file__).parent / "secret.py").exists()\n    assert not (Path(__file__).parent / "folder" / "secret.py").exists()\n`,
  );
  const { report, summary } = await check(session, source, { only: ["test"] });
  assert.is(checkOf(report, "test").state, "PASSED", summary);
});

test("changes_nothing_in_a_source_that_cannot_be_written", async () => {
  const source = await copyOf(fixture("pep621-project"), join(folder.path, "read-only"));
  const before = (await readdir(source, { recursive: true })).sort();
  for (const name of before) {
    const path = join(source, name);
    const isFolder = before.some((other) => other.startsWith(`${name}/`));
    await chmod(path, isFolder ? 0o555 : 0o444);
  }
  await chmod(source, 0o555);
  const { report, summary } = await check(session, source, {
    only: ["lint", "format", "types", "test", "bandit"],
  });
  assert.equal(new Set(Object.values(states(report))), new Set(["PASSED"]), summary);
  assert.equal((await readdir(source, { recursive: true })).sort(), before);
});

test.run();
