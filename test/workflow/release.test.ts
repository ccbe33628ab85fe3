import { suite } from "uvu";
import * as assert from "uvu/assert";

import { Sandbox } from "./sandbox.js";
import { loadWorkflow, runJob } from "./workflow.js";

const test = suite("release.yml");
const workflow = loadWorkflow("release", "release");
const { source, job } = workflow;
const RELEASE = "Release";
const VERDICT = "Fail unless every check passed";
const KEEP = "Keep reports and evidence";
const REFERENCE = `ghcr.io/ann/greeter@sha256:${"0a".repeat(32)}`;
const GOOD = { state: "PASSED", released: { reference: REFERENCE } };

/** As GitHub gives them to a job that may sign. */
const TOKENS = {
  ACTIONS_ID_TOKEN_REQUEST_URL: "https://tokens.example/?a=1&b=2",
  ACTIONS_ID_TOKEN_REQUEST_TOKEN: "token-to-ask-for-tokens",
};

const sandbox = await Sandbox.create();
test.after(() => sandbox.remove());

test("pins_every_action_by_commit_and_says_its_version", () => {
  const uses = source.split("\n").filter((line) => /^\s*(- )?uses:/.test(line));
  assert.ok(uses.length >= 5);
  for (const line of uses) assert.match(line, /uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
});

test("has_the_permissions_to_publish_and_to_sign_and_no_others", () => {
  assert.equal(workflow.permissions, {});
  assert.equal(job.permissions, {
    ...{ contents: "read", "security-events": "write" },
    ...{ packages: "write", "id-token": "write" },
  });
});

test("is_never_cancelled_by_another_run_and_ends_some_day", () => {
  assert.is(workflow.concurrency["cancel-in-progress"], false);
  assert.match(workflow.concurrency.group, "github.ref");
  assert.ok(job["timeout-minutes"]);
});

test("holds_no_logic", () => {
  for (const { run = "" } of job.steps) {
    assert.ok(run.trim().split("\n").length <= 3, run);
    assert.not.match(run, /\b(if|for|while|case)\b/);
    assert.not.match(run, "${{", "inputs come as variables, never as text of the script");
  }
});

test("checks_and_then_releases_as_the_job_itself", async () => {
  const run = await sandbox.recorded(GOOD);
  const ended = await runJob(workflow, { ...run, env: TOKENS });
  assert.is(ended.conclusion, "success", ended.output);
  const start = ["call", "-m", "github.com/owner/slipway@c0ffee", "--source", ".", "--folder", "."];
  const out = ["reports", "export", "--path", `${run.temp}/slipway`];
  assert.equal(await sandbox.calls(), [
    [...start, "checks", "--attempt", "7.2", ...out],
    [
      ...[...start, "release", "--repository", "ghcr.io/ann/greeter"],
      ...["--username", "ann", "--password", "env:PASSWORD"],
      ...["--request-url", TOKENS.ACTIONS_ID_TOKEN_REQUEST_URL],
      ...["--request-token", "env:ACTIONS_ID_TOKEN_REQUEST_TOKEN"],
      ...["--revision", "0123456789abcdef0123456789abcdef01234567"],
      ...["--source-url", "https://git.example/ann/greeter", ...out],
    ],
  ]);
  assert.match(ended.summary, /# the summary\n[^]*# the evidence/);
  assert.equal(ended.outputs, { reference: REFERENCE });
  assert.is(workflow.outputs.reference?.value, "${{ jobs.release.outputs.reference }}");
  assert.is(ended.actions["actions/upload-artifact"]?.path, `${run.temp}/slipway`);
  assert.is(
    ended.actions["github/codeql-action/upload-sarif"]?.sarif_file,
    `${run.temp}/slipway/sarif/trivy.sarif`,
  );
});

test("publishes_in_lower_case_as_registries_want_it", async () => {
  const run = await sandbox.recorded(GOOD);
  await runJob(workflow, { ...run, env: TOKENS, inputs: { repository: "ghcr.io/Ann/Greeter" } });
  const words = (await sandbox.calls()).flat();
  assert.is(words[words.indexOf("--repository") + 1], "ghcr.io/ann/greeter");
});

test("releases_nothing_when_a_check_did_not_pass_and_keeps_the_reports", async () => {
  for (const state of ["FAILED", "ERRORED", "SKIPPED"]) {
    const ended = await runJob(workflow, await sandbox.recorded({ ...GOOD, state }));
    assert.is(ended.conclusion, "failure", state);
    assert.is(ended.outcomes[VERDICT], "failure");
    assert.is(ended.outcomes[RELEASE], "skipped");
    assert.is(ended.outcomes[KEEP], "success");
    assert.is((await sandbox.calls()).length, 1);
    assert.equal(ended.outputs, { reference: "" });
  }
});

test("fails_with_the_release_and_hands_no_image_on", async () => {
  const run = await sandbox.recorded({ state: "PASSED", released: 1 });
  const ended = await runJob(workflow, { ...run, env: TOKENS });
  assert.is(ended.conclusion, "failure");
  const failed = Object.entries(ended.outcomes).filter(([, outcome]) => outcome === "failure");
  assert.equal(failed, [[RELEASE, "failure"]]);
  assert.is(ended.outcomes[KEEP], "success");
  assert.equal(ended.outputs, { reference: "" });
});

test("gives_each_input_as_an_argument_and_each_secret_by_reference", async () => {
  const run = await sandbox.recorded(GOOD);
  const secrets = {
    ...{ password: "secret-1", key: "secret-2", "key-password": "secret-3" },
    ...{ "safety-key": "secret-4", "model-token": "secret-5" },
  };
  const tracking = "https://models.example/$(touch owned)";
  const inputs = {
    folder: 'services/a b"; touch owned; $(touch owned)',
    repository: "registry.example/team/$(touch owned)",
    tags: "1.4.2,latest; touch owned",
    username: "bob; touch owned",
    module: "github.com/mirror/slipway@v1",
  };
  await runJob(workflow, { ...run, inputs: { ...inputs, tracking }, secrets, env: TOKENS });
  const [, call = []] = await sandbox.calls();
  for (const [name, value] of Object.entries(inputs))
    assert.ok(
      call.some((word) => word === value || word === `--${name}=${value}`),
      name,
    );
  for (const flag of ["--key=env:KEY", "--key-password=env:KEY_PASSWORD", "env:PASSWORD"])
    assert.ok(call.includes(flag), flag);
  assert.ok(call.includes("--safety-key=env:SAFETY_KEY"));
  assert.ok(call.includes("--model-token=env:MODEL_TOKEN"));
  assert.ok(
    call.indexOf(`--environment=MLFLOW_TRACKING_URI=${tracking}`) < call.indexOf("release"),
  );
  assert.ok(call.includes(`--environment=MLFLOW_TRACKING_URI=${tracking}`));
  for (const secret of [...Object.values(secrets), "token-of-the-job", "token-to-ask-for-tokens"])
    assert.not.ok(call.some((word) => word.includes(secret)));
});

test("leaves_code_scanning_alone_where_there_is_none", async () => {
  const run = await sandbox.recorded(GOOD);
  const ended = await runJob(workflow, { ...run, inputs: { "code-scanning": false } });
  assert.not.ok(ended.actions["github/codeql-action/upload-sarif"]);
});

test.run();
