import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync, readFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";

const REQUESTS = fileURLToPath(new URL("../../src/stages/python/requests.py", import.meta.url));

interface Answer {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly away?: number;
}

const test = suite("requests.py", { folder: "" });

test.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), "slipway-requests-"));
});
test.after.each((context) => {
  rmSync(context.folder, { recursive: true });
});

function ask(folder: string, requests: unknown, ...flags: string[]): (Answer | null)[] {
  const out = join(folder, "out", "answers.json");
  const ran = spawnSync("python3", [REQUESTS, ...flags, out], {
    ...{ encoding: "utf8", input: JSON.stringify(requests) },
  });
  assert.is(ran.status, 0, ran.stderr);
  return JSON.parse(readFileSync(out, "utf8")) as (Answer | null)[];
}

const sh = (script: string, more: object = {}): object => ({
  ...{ args: ["sh", "-c", script], limit: 60 },
  ...more,
});

test("tells_how_each_ended_with_both_outputs", ({ folder }) => {
  assert.equal(ask(folder, [sh("cat; echo no >&2; exit 3", { input: "in" }), sh("kill -9 $$")]), [
    { exitCode: 3, stdout: "in", stderr: "no\n", tries: 1 },
    { exitCode: 137, stdout: "", stderr: "", tries: 1 },
  ]);
});

test("ends_what_takes_longer_than_its_limit_and_goes_on", ({ folder }) => {
  const slow = { args: ["sleep", "30"], limit: 0.2 };
  assert.equal(ask(folder, [slow, sh("echo next")]), [
    { exitCode: 124, stdout: "", stderr: "sleep was ended after 0.2 s\n", tries: 1 },
    { exitCode: 0, stdout: "next\n", stderr: "", tries: 1 },
  ]);
});

test("says_that_a_program_is_not_there", ({ folder }) => {
  const [answer] = ask(folder, [{ args: ["no-such-program"], limit: 1 }]);
  assert.is(answer?.exitCode, 127);
  assert.is(answer?.stderr, "no-such-program: No such file or directory\n");
});

test("gives_a_secret_to_the_command_alone", ({ folder }) => {
  const file = join(folder, "secret");
  writeFileSync(file, "value of it");
  const own = sh("echo $PASSWORD; tr '\\0' '\\n' < /proc/$PPID/environ | grep -c ^PASSWORD=", {
    secrets: { PASSWORD: file },
  });
  assert.is(ask(folder, [own])[0]?.stdout, "value of it\n0\n");
});

test("asks_the_others_after_the_first_and_only_when_that_has_not_failed", ({ folder }) => {
  const outputs = (first: string): (string | undefined)[] =>
    ask(folder, [sh(first), sh("echo b; exit 1"), sh("echo c")], "--after-first").map(
      (answer) => answer?.stdout,
    );
  assert.equal(outputs("echo a"), ["a\n", "b\n", "c\n"]);
  assert.equal(outputs("echo a; exit 1"), ["a\n", undefined, undefined]);
  assert.equal(ask(folder, [], "--after-first"), []);
});

test("goes_on_in_the_order_of_the_list_until_one_fails", ({ folder }) => {
  const said = (): string[] => readFileSync(join(folder, "said"), "utf8").trim().split("\n");
  const then = (word: string): object => ({ then: sh(`echo ${word} | tee -a ${folder}/said`) });
  const outputs = (...requests: object[]): (string | undefined)[] =>
    ask(folder, requests, "--at-once").map((answer) => answer?.stdout);
  const late = sh("sleep 0.3", then("late"));
  assert.equal(outputs(late, sh("true", then("early"))), ["late\n", "early\n"]);
  assert.equal(said(), ["late", "early"]);
  const failing = sh("echo no; exit 5", then("never"));
  assert.equal(outputs(late, failing, sh("true", then("nor"))), ["late\n", "no\n", undefined]);
  const refused = sh("true", { then: sh("echo refused; exit 5") });
  assert.equal(outputs(refused, sh("true", then("nor"))), ["refused\n", undefined]);
  assert.equal(said(), ["late", "early", "late"]);
});

test("starts_what_something_follows_only_as_cores_get_free", ({ folder }) => {
  const cores = cpus().length;
  const ends = (name: string): string => `sleep 0.2; touch ${folder}/ended-${name}`;
  const first = Array.from({ length: cores }, (_, at) => sh(ends(String(at)), { then: sh(":") }));
  const seen = sh(`ls ${folder} | grep -c ended- > ${folder}/seen`, {
    then: sh(`cat ${folder}/seen`),
  });
  assert.ok(Number(ask(folder, [...first, seen], "--at-once").at(-1)?.stdout) >= 1);
});

test("goes_on_after_what_is_optional_but_not_without_what_that_needs", ({ folder }) => {
  const optional = sh("exit 3", { needs: true, optional: true });
  const next = sh("echo next", { needs: true });
  const codes = (...requests: object[]) => ask(folder, requests).map((each) => each?.exitCode);
  assert.equal(codes(optional, next), [3, 0]);
  assert.equal(codes(sh("exit 4"), optional, next), [4, undefined, undefined]);
});

test("leaves_out_what_needs_one_that_failed_and_runs_the_rest", ({ folder }) => {
  const answers = ask(folder, [
    sh("false"),
    sh("echo needs", { needs: true }),
    sh("echo alone", { needs: false }),
  ]);
  assert.equal(
    answers.map((answer) => answer?.stdout),
    ["", undefined, "alone\n"],
  );
});

test("runs_side_by_side_whatever_becomes_of_the_others", ({ folder }) => {
  const wait = `for i in $(seq 500); do [ -e ${folder}/second ] && exit 0; sleep 0.01; done; exit 1`;
  const second = sh(`touch ${folder}/second; exit 4`, { needs: true });
  const codes = ask(folder, [sh(wait), second], "--at-once").map((answer) => answer?.exitCode);
  assert.equal(codes, [0, 4]);
});

test("waits_until_the_output_has_a_pattern_by_lines", ({ folder }) => {
  const count = `echo x >> ${folder}/count; wc -l < ${folder}/count; echo end`;
  const [answer] = ask(folder, [sh(count, { until: { seconds: 20, pattern: "^3$" } })]);
  assert.is(answer?.stdout, "3\nend\n");
  const [never] = ask(folder, [sh("echo no", { until: { seconds: 1, pattern: "yes" } })]);
  assert.is(never?.exitCode, 0, "to wait in vain is no failure");
});

test("has_its_whole_patience_with_a_server_that_goes_away_while_it_waits", ({ folder }) => {
  const script = `echo x >> ${folder}/tries; n=$(wc -l < ${folder}/tries); if [ $n -eq 4 ] || [ $n -eq 5 ]; then echo away >&2; exit 1; fi; echo $n`;
  const patient = {
    retry: [{ seconds: 1, pattern: "away" }],
    until: { seconds: 30, pattern: "^7$" },
  };
  const [answer, other] = ask(folder, [sh(script, patient), sh("echo there")]);
  assert.is(answer?.stdout, "7\n");
  assert.ok((answer?.away ?? 0) >= 0.5, "it says for how long the server was away");
  assert.is(other?.away, undefined);
});

test("has_patience_anew_with_what_comes_after_an_outage", ({ folder }) => {
  const script = `echo x >> ${folder}/after; n=$(wc -l < ${folder}/after); if [ $n -le 2 ]; then echo away >&2; exit 1; fi; if [ $n -le 4 ]; then echo starting >&2; exit 1; fi; echo $n`;
  const retry = ["away", "starting"].map((pattern) => ({ seconds: 1, pattern }));
  const [answer] = ask(folder, [sh(script, { retry })]);
  assert.equal([answer?.exitCode, answer?.stdout], [0, "5\n"]);
});

test.run();
