// The same steps with the module behind them: `dagger call` goes to the embedded engine.
import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { suite } from "uvu";
import * as assert from "uvu/assert";

import { cachePath } from "../../ci/sandbox/cache.js";
import { ensureRegistry, mirrors } from "../../ci/sandbox/registry.js";
import { Sandbox } from "./sandbox.js";
import { loadWorkflow, runJob, type Ended, type Run } from "./workflow.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const { address } = await ensureRegistry();
const sandbox = await Sandbox.create();
const pipeline = loadWorkflow("pipeline", "checks");

const test = suite("pipeline.yml with the module");
test.after(() => sandbox.remove());

/** Runs the job on the project with one test that fails, or without that test. */
async function runOn(change: (tests: string) => string): Promise<[Run, Ended]> {
  const slipway = join(ROOT, "ci", "cli", "slipway.mjs");
  const run = await sandbox.run(
    `exec '${process.execPath}' '${slipway}' "$@" --engine=embedded --progress=plain`,
  );
  await cp(join(ROOT, "test", "fixtures", "failing-test"), run.workspace, { recursive: true });
  const project = join(run.workspace, "pyproject.toml");
  // The sandbox has no newer Python.
  const settings = '\n[tool.slipway.python]\nversion = "3.13"\n';
  await writeFile(project, (await readFile(project, "utf8")) + settings);
  const tests = join(run.workspace, "tests", "test_prices.py");
  await writeFile(tests, change(await readFile(tests, "utf8")));
  const env = { SLIPWAY_CACHE: cachePath("e2e"), SLIPWAY_MIRRORS: mirrors(address) };
  return [run, await runJob(pipeline, { ...run, env, inputs: { module: ROOT } })];
}

test("fails_after_it_has_uploaded_what_a_failing_test_left", async () => {
  const [run, ended] = await runOn((tests) => tests);
  assert.equal(
    Object.entries(ended.outcomes).filter(([, outcome]) => outcome !== "success"),
    [["Fail unless every check passed", "failure"]],
    ended.output,
  );
  assert.match(ended.summary, /\b1 failed\b/);
  const reports = join(run.temp, "slipway");
  assert.match(await readFile(join(reports, "junit.xml"), "utf8"), "test_adds_a_share");
  assert.match(await readFile(join(reports, "sarif", "pytest.sarif"), "utf8"), "test_prices.py");
});

test("passes_when_every_check_does", async () => {
  const [, ended] = await runOn((tests) => tests.replace(/\n\ndef test_adds_a_share[\s\S]*/, ""));
  assert.is(ended.conclusion, "success", `${ended.output}\n${ended.summary}`);
});

test.run();
