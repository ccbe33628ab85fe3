import { suite } from "uvu";
import * as assert from "uvu/assert";

import { Sandbox } from "./sandbox.js";
import { loadWorkflow, runJob } from "./workflow.js";

const test = suite("pipeline.yml");
const pipeline = loadWorkflow("pipeline", "checks");
const { source, job: checks } = pipeline;
const CHECKS = "Run all checks";
const VERDICT = "Fail unless every check passed";

const sandbox = await Sandbox.create();
test.after(() => sandbox.remove());

test("pins_every_action_by_commit_and_says_its_version", () => {
  const uses = source.split("\n").filter((line) => /^\s*(- )?uses:/.test(line));
  assert.ok(uses.length >= 4);
  for (const line of uses) assert.match(line, /uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
});

test("has_no_permission_but_to_read_the_source_and_to_send_findings", () => {
  assert.equal(pipeline.permissions, {});
  assert.equal(checks.permissions, { contents: "read", "security-events": "write" });
});

test("keeps_no_credentials_and_ends_some_day", () => {
  const checkout = checks.steps.find(({ uses }) => uses?.startsWith("actions/checkout@"));
  assert.is(checkout?.with?.["persist-credentials"], false);
  assert.ok(checks["timeout-minutes"]);
  assert.match(pipeline.concurrency.group, "github.ref");
});

test("holds_no_logic", () => {
  for (const { run = "" } of checks.steps) {
    assert.ok(run.trim().split("\n").length <= 3, run);
    assert.not.match(run, /\b(if|for|while|case)\b/);
    assert.not.match(run, "${{", "inputs come as variables, never as text of the script");
  }
});

test("calls_the_module_of_its_own_commit_once_and_keeps_what_it_exports", async () => {
  const run = await sandbox.recorded({ state: "PASSED" });
  const ended = await runJob(pipeline, run);
  assert.is(ended.conclusion, "success", ended.output);
  assert.equal(await sandbox.calls(), [
    [
      ...["call", "-m", "github.com/owner/slipway@c0ffee", "--source", ".", "--folder", "."],
      ...["checks", "--attempt", "7.2", "reports", "export", "--path", `${run.temp}/slipway`],
    ],
  ]);
  assert.match(ended.summary, "# the summary");
  assert.is(ended.actions["actions/upload-artifact"]?.path, `${run.temp}/slipway`);
  assert.is(
    ended.actions["github/codeql-action/upload-sarif"]?.sarif_file,
    `${run.temp}/slipway/sarif`,
  );
});

test("uploads_everything_before_it_fails_on_the_verdict", async () => {
  for (const state of ["FAILED", "ERRORED", "SKIPPED"]) {
    const ended = await runJob(pipeline, await sandbox.recorded({ state }));
    assert.is(ended.conclusion, "failure", state);
    const failed = Object.entries(ended.outcomes).filter(([, outcome]) => outcome !== "success");
    assert.equal(failed, [[VERDICT, "failure"]]);
    assert.ok(ended.actions["github/codeql-action/upload-sarif"]);
  }
});

test("fails_at_once_when_the_engine_does", async () => {
  const ended = await runJob(pipeline, await sandbox.recorded({ exitCode: 3 }));
  assert.is(ended.conclusion, "failure");
  assert.is(ended.outcomes[CHECKS], "failure");
  assert.is(ended.outcomes[VERDICT], "skipped");
});

test("gives_the_key_by_reference_and_only_when_there_is_one", async () => {
  const run = await sandbox.recorded({ state: "PASSED" });
  await runJob(pipeline, { ...run, secrets: { "safety-key": "hunter2" } });
  const [call = []] = await sandbox.calls();
  assert.ok(call.includes("--safety-key=env:SAFETY_KEY"));
  assert.not.ok(call.some((word) => word.includes("hunter2")));
});

test("keeps_odd_inputs_in_one_piece", async () => {
  const run = await sandbox.recorded({ state: "PASSED" });
  const folder = 'services/a b"; touch owned; $(touch owned)';
  await runJob(pipeline, { ...run, inputs: { folder, module: "github.com/mirror/slipway@v1" } });
  const [call = []] = await sandbox.calls();
  assert.ok(call.includes(folder));
  assert.ok(call.includes("github.com/mirror/slipway@v1"));
});

test("leaves_code_scanning_alone_where_there_is_none", async () => {
  const run = await sandbox.recorded({ state: "PASSED" });
  const ended = await runJob(pipeline, { ...run, inputs: { "code-scanning": false } });
  assert.is(ended.conclusion, "success");
  assert.not.ok(ended.actions["github/codeql-action/upload-sarif"]);
});

test.run();
