import { suite } from "uvu";
import * as assert from "uvu/assert";

import { readCall, type Call } from "./call.js";
import { Sandbox } from "./sandbox.js";
import { interpolate } from "./expression.js";
import { jobResults, loadJobs, runJob, type Ended, type Result, type Run } from "./workflow.js";

const test = suite("delivery.yml and rollback.yml");
const delivery = loadJobs("delivery");
const rollback = loadJobs("rollback");
const all = { ...delivery, ...rollback };
const RELEASE = "release";
const CANARY = "deploy-canary";
const PROMOTE = "promote-to-production";
const ABORT = "abort";
const ROLLBACK = "rollback";
const OURS = [CANARY, PROMOTE, ABORT, ROLLBACK];
const REFERENCE = `ghcr.io/ann/greeter@sha256:${"0a".repeat(32)}`;

/** A secret of each name, with a value that nothing else holds. */
const SECRETS = {
  ...{ KUBE_CONFIG_DATA: "canary-kube", REGISTRY_TOKEN: "canary-registry" },
  MLFLOW_TRACKING_TOKEN: "canary-models",
};

const sandbox = await Sandbox.create();
test.after(() => sandbox.remove());

function job(id: string) {
  const found = all[id];
  if (!found) throw new Error(`there is no job ${id}`);
  return found;
}

/** Runs a job after a release and a canary that ended well, unless told otherwise. */
async function run(id: string, change: Partial<Run> = {}, exitCode = 0): Promise<Ended> {
  const recorded = await sandbox.recorded({ exitCode });
  const needs = {
    [RELEASE]: { result: "success" as Result, outputs: { reference: REFERENCE } },
    [CANARY]: { result: "success" as Result, outputs: {} },
    [PROMOTE]: { result: "success" as Result, outputs: {} },
  };
  return await runJob(job(id), { ...recorded, needs, ...change });
}

async function calls(): Promise<Call[]> {
  return (await sandbox.calls()).map(readCall);
}

test("pins_every_action_by_commit_and_says_its_version", () => {
  for (const workflow of [job(CANARY), job(ROLLBACK)]) {
    const uses = workflow.source.split("\n").filter((line) => /^\s*(- )?uses: /.test(line));
    const others = uses.filter((line) => !line.includes("uses: ./.github/workflows/release.yml"));
    assert.ok(others.length >= 2);
    for (const line of others) assert.match(line, /uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  }
});

test("uses_the_same_commits_as_the_checks", () => {
  const pins = (source: string): Set<string> => new Set(source.match(/[\w./-]+@[0-9a-f]{40}/g));
  const known = pins(loadJobs("pipeline").checks?.source ?? "");
  for (const id of [CANARY, ROLLBACK])
    for (const pin of pins(job(id).source)) assert.ok(known.has(pin), pin);
});

test("gives_each_job_no_permission_but_what_it_needs", () => {
  for (const { permissions } of Object.values(all)) assert.equal(permissions, {});
  const read = { contents: "read", packages: "read" };
  assert.equal(job(RELEASE).job.permissions, {
    ...{ contents: "read", "security-events": "write" },
    ...{ packages: "write", "id-token": "write" },
  });
  assert.equal(job(CANARY).job.permissions, read);
  assert.equal(job(PROMOTE).job.permissions, read);
  assert.equal(job(ABORT).job.permissions, { contents: "read" });
  assert.equal(job(ROLLBACK).job.permissions, read);
});

test("asks_for_the_approval_of_production_before_all_requests_move", () => {
  assert.is(job(CANARY).job.environment, "canary");
  assert.is(job(PROMOTE).job.environment, "production");
  assert.is(job(ROLLBACK).job.environment, "production");
  assert.equal(job(PROMOTE).job.needs, [RELEASE, CANARY]);
});

test("is_never_cancelled_by_another_run_and_ends_some_day", () => {
  for (const id of OURS) {
    const { concurrency, job: one } = job(id);
    assert.is(concurrency["cancel-in-progress"], false);
    assert.not.match(concurrency.group, "github.ref", "one at a time, whatever it is of");
    assert.match(concurrency.group, "inputs.folder");
    assert.ok(one["timeout-minutes"]);
  }
  assert.is.not(job(CANARY).concurrency.group, job(ROLLBACK).concurrency.group);
});

test("holds_no_logic", () => {
  for (const id of OURS) {
    for (const { run: script = "", uses, with: given } of job(id).job.steps) {
      assert.ok(script.trim().split("\n").length <= 3, script);
      assert.not.match(script, /\b(if|for|while|case)\b|&&|\|\|/);
      assert.not.match(script, "${{", "inputs come as variables, never as text of the script");
      if (uses?.startsWith("actions/checkout@")) assert.is(given?.["persist-credentials"], false);
    }
  }
});

test("shows_a_secret_only_to_the_steps_that_call_the_module", () => {
  for (const id of OURS)
    for (const { env = {}, run: script } of job(id).job.steps)
      if (script === undefined) assert.equal(Object.keys(env), []);
});

test("brings_the_verified_image_by_its_digest_through_canary_promotion_and_watch", async () => {
  const vars = { MLFLOW_TRACKING_URI: "https://models.example" };
  for (const [id, fns] of [
    [CANARY, ["deploy-canary"]],
    [PROMOTE, ["promote", "watch"]],
  ] as const) {
    const ended = await run(id, { vars, secrets: SECRETS });
    assert.is(ended.conclusion, "success", ended.output);
    const made = await calls();
    assert.equal(
      made.map(({ fn }) => fn),
      fns,
    );
    for (const { flags, field } of made) {
      assert.is(field, "markdown");
      assert.equal(flags.environment, ["MLFLOW_TRACKING_URI=https://models.example"]);
      assert.equal(flags["kube-config"], ["env:KUBE_CONFIG_DATA"]);
      assert.equal([flags.username, flags.password], [["ann"], ["env:PASSWORD"]]);
      assert.equal(flags["model-token"], ["env:MODEL_TOKEN"]);
      assert.equal(flags.by, ["ann"]);
    }
    const named = made[0]?.flags.reference ?? made[0]?.flags.digest;
    assert.equal(named, [REFERENCE]);
  }
});

test("fails_with_the_module_and_watches_nothing_that_was_not_promoted", async () => {
  for (const code of [1, 2, 3, 4]) {
    const canary = await run(CANARY, {}, code);
    assert.is(canary.conclusion, "failure", `${code}`);
    const promoted = await run(PROMOTE, {}, code);
    assert.is(promoted.outcomes["Watch it, and roll back when it is not well"], "skipped");
    assert.is((await sandbox.calls()).length, 1);
  }
});

test("puts_what_the_module_tells_into_the_summary", async () => {
  for (const id of OURS) {
    const told = await sandbox.run('echo "### Delivery"');
    const needs = { [RELEASE]: { result: "success" as Result, outputs: { reference: "" } } };
    const ended = await runJob(job(id), { ...told, needs });
    assert.match(ended.summary, "### Delivery");
  }
});

test("leaves_out_the_token_of_a_registry_that_asks_for_none", async () => {
  await run(CANARY, { secrets: { KUBE_CONFIG_DATA: "x" } });
  const [made] = await calls();
  assert.is(made?.flags["model-token"], undefined);
  assert.equal(made?.flags.environment, ["MLFLOW_TRACKING_URI="]);
});

test("gives_each_input_as_an_argument_and_each_secret_by_reference", async () => {
  const odd = (name: string): string => `${name} b"; touch owned; $(touch owned)`;
  const inputs: Record<string, string> = {
    ...{ folder: odd("folder"), module: odd("module"), "watch-seconds": odd("60") },
    ...{ target_tag: odd("tag"), skip_verification: "true" },
  };
  for (const id of OURS) {
    await run(id, { inputs, secrets: SECRETS, vars: { REGISTRY_USER: odd("bob") } });
    const made = await sandbox.calls();
    const used = new Set(JSON.stringify(job(id).job.steps).match(/(?<=\binputs\.)[\w-]+/g));
    for (const name of used) {
      const value = inputs[name] ?? "";
      const isWhole = (word: string): boolean => word === value || word.endsWith(`=${value}`);
      assert.ok(made.flat().some(isWhole), `${id}: ${name}`);
    }
    for (const secret of [...Object.values(SECRETS), "token-of-the-job"])
      assert.not.ok(
        made.flat().some((word) => word.includes(secret)),
        id,
      );
  }
});

test("uses_every_input_that_it_asks_for", () => {
  for (const [name, jobs] of [
    ["delivery", delivery],
    ["rollback", rollback],
  ] as const) {
    const [first] = Object.values(jobs);
    const text = JSON.stringify(Object.values(jobs).map((each) => each.job));
    for (const input of Object.keys(first?.inputs ?? {}))
      assert.match(text, `inputs.${input}`, `${name}: ${input}`);
  }
});

test("releases_by_the_other_workflow_with_inputs_that_it_has", () => {
  const { job: called } = job(RELEASE);
  assert.is(called.uses, "./.github/workflows/release.yml");
  const release = loadJobs("release").release;
  for (const input of Object.keys(called.with ?? {})) assert.ok(release?.inputs[input], input);
});

test("takes_back_what_is_not_finished_however_the_run_ends", () => {
  const ended = (ends: Record<string, Result>): Record<string, Result> =>
    jobResults(delivery, ends);
  assert.equal(ended({}), {
    ...{ [RELEASE]: "success", [CANARY]: "success", [PROMOTE]: "success", [ABORT]: "skipped" },
  });
  assert.equal(ended({ [RELEASE]: "failure" }), {
    ...{ [RELEASE]: "failure", [CANARY]: "skipped", [PROMOTE]: "skipped", [ABORT]: "skipped" },
  });
  for (const end of ["failure", "cancelled"] as const) {
    assert.is(ended({ [CANARY]: end })[PROMOTE], "skipped");
    assert.is(ended({ [CANARY]: end })[ABORT], "success");
    // Refused by a person, or by the module, or cancelled while it waits.
    assert.is(ended({ [PROMOTE]: end })[ABORT], "success");
  }
});

test("keeps_a_canary_that_waits_for_a_person_and_takes_back_one_that_was_not_approved", async () => {
  for (const [result, promoted, approved, keep] of [
    ["failure", "skipped", "", "true"],
    ["cancelled", "skipped", "", "false"],
    // Refused by a person, so that no step ran.
    ["success", "failure", "", "false"],
    // Inconclusive, or refused by the module.
    ["success", "failure", "true", "true"],
    ["success", "cancelled", "true", "false"],
  ] as const) {
    const release = { result: "success" as Result, outputs: { reference: REFERENCE } };
    const needs = {
      ...{ [RELEASE]: release, [CANARY]: { result, outputs: {} } },
      [PROMOTE]: { result: promoted, outputs: { approved } },
    };
    await run(ABORT, { needs });
    const [made] = await calls();
    assert.is(made?.fn, "abort");
    assert.equal(made?.flags["keep-waiting"], [keep]);
    assert.equal(made?.flags.digest, [REFERENCE], "never what somebody else is at");
  }
});

test("says_that_it_was_approved_before_anything_can_fail", async () => {
  assert.is((await run(PROMOTE, {}, 4)).outputs.approved, "true");
});

test("publishes_where_the_variables_say_and_else_on_ghcr", () => {
  const asked = (vars: Record<string, string>): string =>
    interpolate(job(RELEASE).job.with?.repository ?? "", {
      contexts: { vars, github: { repository: "Ann/Greeter" } },
      functions: { format: (_, host, name) => `${String(host)}/${String(name)}` },
    });
  assert.is(asked({}), "ghcr.io/Ann/Greeter");
  assert.is(asked({ REGISTRY_REPO: "team/greeter" }), "ghcr.io/team/greeter");
  assert.is(asked({ REGISTRY_HOST: "r.example" }), "r.example/Ann/Greeter");
});

test("rolls_back_to_what_is_named_else_to_the_last_good_release", async () => {
  await run(ROLLBACK, { inputs: { target_tag: "1.4.1", skip_verification: true } });
  const [named] = await calls();
  assert.equal(named?.flags["target-tag"], ["1.4.1"]);
  assert.equal(named?.flags["skip-verification"], ["true"]);
  await run(ROLLBACK);
  const [last] = await calls();
  assert.is(last?.flags["target-tag"], undefined);
  assert.equal(last?.flags["skip-verification"], ["false"]);
});

test.run();
