import { suite } from "uvu";
import * as assert from "uvu/assert";
import { commandOf } from "../../ci/cli/command.js";
import { forwarded } from "../../ci/cli/environment.js";
import { harmless } from "../../ci/cli/harmless.js";
import { readValues, splitList, type Value } from "../../ci/cli/module/values.js";
import type { Argument, ModuleTypes, TypeRef } from "../../ci/cli/module/types.js";
import { kebab, sameName } from "../../ci/cli/names.js";
import { chooseEngine } from "../../ci/cli/session/open.js";
import { PlainProgress } from "../../ci/cli/progress/plain.js";
import { environmentNames } from "../../src/core/config/leaves.js";

const test = suite("words of the command line");

const types: ModuleTypes = {
  name: "m",
  description: "",
  main: { name: "M", description: "", functions: [] },
  root: { name: "m", description: "", args: [], returns: ref("OBJECT", "M"), isField: false },
  object: () => undefined,
  enumeration: (name) => (name === "Level" ? { name, values: ["LOW", "VERY_HIGH"] } : undefined),
};

function ref(kind: string, name = "", element?: TypeRef): TypeRef {
  return { kind: `${kind}_KIND`, name, optional: false, ...(element && { element }) };
}

function read(type: TypeRef, ...texts: string[]): Value {
  const arg: Argument = {
    name: "someArg",
    description: "",
    type,
    required: true,
    defaultValue: "",
    defaultPath: "",
    ignore: ["*.log"],
  };
  return readValues(arg, texts, types);
}

function text(value: Value): string {
  if (value.kind !== "literal") throw new Error(`expected a literal, got a ${value.kind}`);
  return value.text;
}

test("names_are_written_in_kebab_case_and_read_in_any", () => {
  assert.is(kebab("pipAudit"), "pip-audit");
  assert.is(kebab("asTarball"), "as-tarball");
  assert.is(kebab("sourceURL"), "source-url");
  for (const word of ["pip-audit", "pipAudit", "pip_audit"]) assert.ok(sameName(word, "pipAudit"));
});

test("splits_lists_at_commas_outside_of_quotes_and_brackets", () => {
  assert.equal(splitList("a,b"), ["a", "b"]);
  assert.equal(splitList('"a,b",c'), ["a,b", "c"]);
  assert.equal(splitList('test.args=["-x","-y"],b=1'), ['test.args=["-x","-y"]', "b=1"]);
  assert.equal(splitList(""), []);
});

test("reads_values_as_their_types_want_them", () => {
  assert.is(text(read(ref("INTEGER"), "42")), "42");
  assert.is(text(read(ref("FLOAT"), "0.5")), "0.5");
  assert.is(text(read(ref("STRING"), 'say "hi"\n')), '"say \\"hi\\"\\n"');
  assert.is(text(read(ref("ENUM", "Level"), "very-high")), "VERY_HIGH");
  assert.equal(read(ref("OBJECT", "Directory"), "./x"), {
    kind: "address",
    type: "Directory",
    address: "./x",
    ignore: ["*.log"],
  });
});

test("takes_the_last_of_repeated_flags_but_all_of_a_list", () => {
  assert.is(text(read(ref("INTEGER"), "1", "2")), "2");
  const list = read(ref("LIST", "", ref("INTEGER")), "1,2", "3");
  assert.is(list.kind === "list" ? list.items.length : 0, 3);
});

test("rejects_values_of_another_type_by_the_flags_name", () => {
  for (const [type, word] of [
    [ref("INTEGER"), "4.5"],
    [ref("FLOAT"), "much"],
    [ref("BOOLEAN"), "perhaps"],
  ] as const) {
    assert.throws(() => read(type, word), /^--some-arg: expected/);
  }
  assert.throws(() => read(ref("ENUM", "Level"), "lwo"), /Did you mean "LOW"\?/);
});

test("finds_the_command_behind_flags_and_their_values", () => {
  assert.equal(commandOf(["--mod", "check", "-q", "call", "x"]), { command: "call", at: 3 });
  assert.equal(commandOf(["--engine=dagger", "check"]), { command: "check", at: 1 });
  assert.is(commandOf(["--help"]).command, undefined);
});

test("takes_daggers_engine_when_it_is_there_and_the_embedded_one_when_not", async () => {
  const env = { DAGGER_SESSION_PORT: "1234", DAGGER_SESSION_TOKEN: "t" };
  assert.is((await chooseEngine("auto", env)).kind, "environment");
  assert.is((await chooseEngine("embedded", env)).kind, "embedded");
  assert.is((await chooseEngine("auto", { PATH: "/nowhere" })).kind, "embedded");
  const cli = { PATH: "/nowhere", _EXPERIMENTAL_DAGGER_CLI_BIN: process.execPath };
  assert.equal(await chooseEngine("auto", cli), { kind: "dagger", command: process.execPath });
});

test("forwards_what_a_module_may_know_and_no_secret", () => {
  const env = {
    SLIPWAY_TEST_WORKERS: "2",
    SLIPWAY_MIRRORS: "a=b",
    MODEL_NAME: "iris",
    MODEL_PASSWORD: "x",
    GITHUB_SHA: "abc",
    GITHUB_TOKEN: "y",
    HOME: "/h",
  };
  assert.equal(forwarded(env), ["GITHUB_SHA=abc", "MODEL_NAME=iris", "SLIPWAY_TEST_WORKERS=2"]);
});

test("forwards_the_variable_of_every_key_of_the_configuration", () => {
  for (const name of environmentNames.keys())
    assert.equal(forwarded({ [name]: "x" }), [`${name}=x`], name);
});

test("plain_progress_quotes_the_end_of_what_a_failed_step_printed", () => {
  let out = "";
  const progress = new PlainProgress({ write: (chunk) => (out += chunk) });
  progress.step({ event: "started", id: 1, name: "exec  false\n" });
  const lines = Array.from({ length: 30 }, (_, index) => `line ${index}\n`).join("");
  progress.step({ event: "output", id: 1, stream: "stdout", text: `\u001b[31m${lines}` });
  progress.step({ event: "ended", id: 1, name: "exec false", state: "failed", milliseconds: 1200 });
  progress.step({ event: "ended", id: 2, name: "from x", state: "cached", milliseconds: 0 });
  progress.finish();
  assert.match(out, /^start {5}exec false\nfailed {4}exec false \(1\.2 s\)\n/);
  assert.match(out, "| line 29\n");
  assert.not.match(out, "line 9\n");
  assert.not.match(out, "\u001b");
  assert.match(out, /steps: 1 cached, 1 failed in/);
});

test("shows_no_escape_sequence_of_what_runs", () => {
  let out = "";
  const progress = new PlainProgress({ write: (chunk) => (out += chunk) });
  const evil = "\u001b]52;c;cm0=\u0007a\u009b2Jb\u001b]0;title\u001b\\c";
  progress.step({ event: "started", id: 1, name: `exec ${evil}` });
  progress.step({ event: "output", id: 1, stream: "stdout", text: `old\rnew ${evil}\r\n` });
  progress.step({ event: "ended", id: 1, name: evil, state: "failed", milliseconds: 1 });
  progress.say(evil);
  assert.not.match(out, /[\u0007\u001b\u009b]|52;|title|old/);
  assert.match(out, "| new a2Jbc\n");
});

test("leaves_githubs_runner_no_command_of_others", () => {
  const text = "a::b\n  ::add-mask::x\n##[error]y";
  const env = { GITHUB_ACTIONS: "true" };
  assert.is(harmless(text, env), "a::b\n  : :add-mask::x\n# #[error]y");
  assert.is(harmless(text, {}), text);
});

test.run();
