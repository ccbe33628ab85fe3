import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ofForm } from "../forms.js";
import { finished, PROBE, slipway, start, type Finished } from "./command.js";

const test = suite("the command on the embedded engine");
const folder = await mkdtemp(join(tmpdir(), "slipway-cli-"));
test.after(() => rm(folder, { recursive: true }));

const COMMON = ["--engine", "embedded", "--mod", PROBE];
const env = { SLIPWAY_CACHE: join(folder, "cache") };

function call(...words: readonly string[]): Promise<Finished> {
  return slipway(["call", ...COMMON, ...words], { cwd: folder, env });
}

test("calls_a_function_with_flags_of_every_kind", async () => {
  const result = await call("--prefix", "Bye", "greet", "--name=you", "--times", "2", "--loud");
  assert.is(result.stdout, "BYE, YOU!BYE, YOU!\n", result.stderr);
  assert.is(result.code, 0);
});

test("gathers_a_list_from_repeated_flags_and_commas", async () => {
  const { stdout } = await call("join", "--words", "a,b", "--words", '"c,d"');
  assert.is(stdout, "a+b+c,d\n");
});

test("chains_functions_and_shows_the_fields_of_an_object", async () => {
  const { stdout } = await call("tally", "--start", "5", "add", "--by", "2");
  assert.is(stdout, "count: 7\n");
  const json = await call("tally", "add", "--output", "json");
  assert.equal(JSON.parse(json.stdout), { count: 1 });
});

test("answers_the_same_when_the_modules_process_started_before_it_was_needed", async () => {
  for (const early of [PROBE, folder, join(folder, "nowhere")]) {
    const words = ["greet", "--name", `whom ${early} knows`];
    const { code, stdout, stderr } = await slipway(["call", ...COMMON, ...words], {
      cwd: folder,
      env: { ...env, SLIPWAY_EAGER: early },
    });
    assert.is(stdout, `Hello, whom ${early} knows!\n`, stderr);
    assert.is(code, 0);
  }
  // Another process of the same module: its answers are known, so nobody takes it.
  const kept = await slipway(["call", ...COMMON, "greet", "--name", `whom ${PROBE} knows`], {
    cwd: folder,
    env: { ...env, SLIPWAY_EAGER: PROBE },
  });
  assert.is(kept.stdout, `Hello, whom ${PROBE} knows!\n`, kept.stderr);
});

test("takes_a_folder_and_a_secret_by_address", async () => {
  await writeFile(join(folder, "token"), "twelve chars");
  assert.match((await call("listing", "--source", ".")).stdout, /^token$/m);
  assert.is((await call("length", "--secret", "file:token")).stdout, "12\n");
});

test("refuses_a_secret_given_by_its_value", async () => {
  const result = await call("length", "--secret", "hunter2");
  assert.is(result.code, 2);
  assert.not.match(result.stderr, "hunter2");
});

test("writes_a_result_to_a_path", async () => {
  const result = await call("written", "--text", "kept", "-o", "out/file");
  assert.is(result.code, 0, result.stderr);
  assert.is(await readFile(join(folder, "out/file"), "utf8"), "kept");
  await call("written", "--text", "again", "export", "--path", "second");
  assert.is(await readFile(join(folder, "second"), "utf8"), "again");
});

test("names_what_is_missing", async () => {
  const result = await call("greet");
  assert.is(result.code, 2);
  assert.match(result.stderr, "greet needs --name (string)");
});

test("tells_progress_on_standard_error_unless_quiet", async () => {
  const loud = await call("reject", "--reason", "no");
  assert.is(loud.code, 1);
  assert.match(loud.stderr, /^failed +probe\.reject/m);
  const quiet = await call("reject", "--reason", "never", "--quiet");
  assert.not.match(quiet.stderr, "probe.reject (");
});

test("says_where_and_why_a_plan_ends_early", async () => {
  const cwd = await mkdtemp(join(folder, "some-"));
  const words = ["plan", ...COMMON, "refuse", "--source", "."];
  const { code, stdout, stderr } = await slipway(words, { cwd, env });
  assert.is(code, 0, stderr);
  assert.match(stdout, "upload ");
  assert.match(stderr, /^the plan ends here: .*not with \d+ files/m);
});

test("writes_a_plan_as_JSON_as_any_other_result", async () => {
  const cwd = await mkdtemp(join(folder, "some-"));
  for (const flags of [["--output", "json"], ["-j"], ["--as", "json"]]) {
    const words = ["plan", ...COMMON, "refuse", "--source", ".", ...flags];
    const { code, stdout, stderr } = await slipway(words, { cwd, env });
    assert.is(code, 0, stderr);
    const steps = ofForm("plan", stdout) as { name: string }[];
    assert.ok(
      steps.some(({ name }) => name.startsWith("upload ")),
      stdout,
    );
  }
});

test("plans_nothing_of_a_folder_that_is_no_project_or_is_wrong", async () => {
  const cwd = await mkdtemp(join(folder, "wrong-"));
  const plan = (...words: string[]): Promise<Finished> =>
    slipway(["plan", "--engine", "embedded", "lint", ...words], { cwd, env });
  const empty = await plan();
  assert.is(empty.code, 2, empty.stderr);
  assert.is(empty.stdout, "");
  await writeFile(join(cwd, "pyproject.toml"), "[tool.slipway]\nlnt = {}\n");
  const wrong = await plan();
  assert.is(wrong.code, 2, wrong.stderr);
  assert.match(wrong.stderr, 'lnt: unknown key; did you mean "lint"?');
  const nowhere = await plan("--folder", "nosuch");
  assert.is(nowhere.code, 2, nowhere.stderr);
  assert.match(nowhere.stderr, 'There is no folder "nosuch" in the source');
});

/** Whether a process that was killed is gone; a machine without an init leaves it as a zombie. */
async function ends(pid: number): Promise<boolean> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
    if (stat === "" || stat.includes(") Z ")) return true;
    await sleep(50);
  }
  return false;
}

test("stops_everything_when_interrupted_and_exits_with_130", async () => {
  const pidFile = join(folder, "pid");
  const child = start(["call", ...COMMON, "hang", "--pid-file", pidFile], { cwd: folder, env });
  const ending = finished(child);
  let pid = Number.NaN;
  while (!(pid > 0)) {
    assert.is(child.exitCode, null, "it ended before it hung");
    await sleep(50);
    pid = Number(await readFile(pidFile, "utf8").catch(() => ""));
  }
  child.kill("SIGINT");
  const { code, stderr } = await ending;
  assert.is(code, 130);
  assert.match(stderr, "Interrupted");
  assert.ok(await ends(pid), `process ${pid} of the function still runs`);
});

test("runs_a_program_in_a_session_and_exits_with_its_code", async () => {
  const script = "test -n $DAGGER_SESSION_PORT && test -n $DAGGER_SESSION_TOKEN && exit 7";
  const result = await slipway(
    ["engine", "run", "--engine", "embedded", "--", "sh", "-c", script],
    { env },
  );
  assert.is(result.code, 7, result.stderr);
});

test("tells_what_the_cache_holds_and_empties_it", async () => {
  const before = await slipway(["engine", "status", "--output", "json"], { env });
  assert.is(
    (ofForm("engine-status", before.stdout) as { root: string }).root,
    join(env.SLIPWAY_CACHE, "engine"),
  );
  const none = await slipway(["engine", "prune", "--to", "1TiB", "--output", "json"], { env });
  assert.is((ofForm("engine-prune", none.stdout) as { freedBytes: number }).freedBytes, 0);
  const pruned = await slipway(["engine", "prune", "--all"], { env });
  assert.match(pruned.stdout, /^freed .* kept 0 B/);
});

test("examines_the_machine", async () => {
  const { stdout, code } = await slipway(["doctor", "--output", "json"], { env });
  const { engines, checks } = ofForm("doctor", stdout) as {
    engines: { embedded: boolean; dagger: boolean };
    checks: { name: string; ok: boolean; required: boolean }[];
  };
  assert.is(code, engines.embedded || engines.dagger ? 0 : 3);
  assert.is(
    engines.embedded,
    checks.every(({ ok, required }) => ok || !required),
  );
  assert.ok(checks.some(({ name }) => name === "cache folder"));
});

test.run();
