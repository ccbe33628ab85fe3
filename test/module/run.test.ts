import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";

const RUN = fileURLToPath(new URL("../../src/stages/python/run.py", import.meta.url));

interface Ran {
  readonly code: number | null;
  readonly record: {
    readonly exitCode: number;
    readonly timedOut: boolean;
    readonly running: readonly string[];
    readonly durationMs: number;
    readonly files: Readonly<Record<string, number>>;
  };
  readonly stdout: string;
  readonly stderr: string;
}

const test = suite("run.py", { folder: "" });

test.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), "slipway-run-"));
});
test.after.each((context) => {
  rmSync(context.folder, { recursive: true });
});

function run(out: string, command: readonly string[], options: readonly string[] = []): Ran {
  const limit = options.some((option) => option.startsWith("--timeout")) ? [] : ["--timeout=60"];
  const child = spawnSync("python3", [RUN, `--out=${out}`, ...limit, ...options, "--", ...command]);
  const read = (name: string): string => readFileSync(join(out, name), "utf8");
  return {
    code: child.status,
    record: JSON.parse(read("run.json")) as Ran["record"],
    stdout: read("stdout.txt"),
    stderr: read("stderr.txt"),
  };
}

test("keeps_exit_code_and_both_streams", ({ folder }) => {
  const ran = run(folder, ["sh", "-c", "echo out; echo err >&2; exit 3"]);
  assert.equal([ran.code, ran.record.exitCode, ran.stdout, ran.stderr], [3, 3, "out\n", "err\n"]);
});

test("lists_the_reports_that_a_tool_left", ({ folder }) => {
  const ran = run(folder, ["sh", "-c", `printf 12345 > ${folder}/report.json`]);
  assert.is(ran.record.files["report.json"], 5);
  assert.not.ok("running" in ran.record.files);
});

test("keeps_the_beginning_and_the_end_of_a_long_output", ({ folder }) => {
  const script = "print('first'); print('x' * 5_000_000); print('last')";
  const ran = run(folder, ["python3", "-c", script], ["--keep=1000"]);
  assert.match(ran.stdout, /^first\n/);
  assert.match(ran.stdout, /last\n$/);
  assert.match(ran.stdout, /… 4999012 bytes of output left out …/);
  assert.ok(ran.stdout.length < 1100);
});

test("keeps_all_of_an_output_that_fits", ({ folder }) => {
  const ran = run(folder, ["python3", "-c", "print('x' * 998)"], ["--keep=1000"]);
  assert.is(ran.stdout, `${"x".repeat(998)}\n`);
});

test("turns_binary_output_into_text", ({ folder }) => {
  const ran = run(folder, ["printf", "\\377\\000ok"]);
  assert.is(ran.stdout, "\ufffd\u0000ok");
});

test("stops_what_hangs_and_all_that_it_started", ({ folder }) => {
  const ran = run(folder, ["sh", "-c", "sleep 1000 & sleep 1000"], ["--timeout=0.5"]);
  assert.is(ran.record.exitCode, 124);
  assert.is(ran.record.timedOut, true);
});

test("stops_what_ignores_being_asked_to", ({ folder }) => {
  const script =
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(1000)";
  assert.is(run(folder, ["python3", "-c", script], ["--timeout=1"]).record.exitCode, 124);
});

test("names_the_test_that_was_running", ({ folder }) => {
  const script = [
    "import json, os, time",
    "path = os.path.join(os.environ['SLIPWAY_RUNNING'], f'{os.getpid()}.json')",
    "json.dump({'test': 'tests/a.py::hang', 'pid': os.getpid()}, open(path, 'w'))",
    "time.sleep(1000)",
  ].join("\n");
  const ran = run(folder, ["python3", "-c", script], ["--timeout=2"]);
  assert.equal(ran.record.running, ["tests/a.py::hang"]);
});

test("does_not_wait_for_what_a_tool_left_behind", ({ folder }) => {
  const ran = run(folder, ["sh", "-c", "sleep 1000 & echo done"]);
  assert.equal([ran.record.exitCode, ran.stdout], [0, "done\n"]);
});

test("says_when_a_program_is_not_there", ({ folder }) => {
  const ran = run(folder, ["no-such-program"]);
  assert.is(ran.record.exitCode, 127);
  assert.match(ran.stderr, /no-such-program: No such file/);
});

test("records_the_signal_that_killed_a_tool", ({ folder }) => {
  const ran = run(folder, ["sh", "-c", "kill -9 $$"]);
  assert.is(ran.record.exitCode, 137);
  // Dagger would take such a code for a failure of its own.
  assert.is(ran.code, 125);
});

test.run();
