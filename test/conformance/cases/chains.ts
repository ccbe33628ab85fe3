import assert from "node:assert/strict";

import { topic } from "../case.js";

export const chains = topic("chains", {
  keeps_the_container_it_was_called_on: async (_dag, t) => {
    const before = t.base();
    const after = before.withEnvVariable("A", "1").withNewFile("/a", "1");
    assert.equal(await after.envVariable("A"), "1");
    assert.equal(await before.envVariable("A"), null);
    assert.equal(await before.exists("/a"), false);
  },
  keeps_the_directory_it_was_called_on: async (dag) => {
    const before = dag.directory().withNewFile("a", "1");
    const after = before.withNewFile("b", "2").withoutFile("a");
    assert.deepEqual(await after.entries(), ["b"]);
    assert.deepEqual(await before.entries(), ["a"]);
  },
  runs_execs_in_the_order_of_the_chain: async (_dag, t) => {
    const out = t
      .base()
      .withExec(["sh", "-c", "echo 1 >> /log"])
      .withExec(["sh", "-c", "echo 2 >> /log"])
      .withExec(["sh", "-c", "echo 3 >> /log"]);
    assert.equal(await out.file("/log").contents(), "1\n2\n3\n");
  },
  lets_two_branches_of_one_base_differ: async (_dag, t) => {
    const base = t.sh("echo base > /f");
    const [left, right] = await Promise.all(
      ["left", "right"].map((side) =>
        base
          .withExec(["sh", "-c", `echo ${side} >> /f`])
          .file("/f")
          .contents(),
      ),
    );
    assert.equal(left, "base\nleft\n");
    assert.equal(right, "base\nright\n");
  },
  gives_an_id_without_running_the_exec: async (dag, t) => {
    const volume = dag.cacheVolume(t.unique("lazy"));
    const marked = t.base().withMountedCache("/v", volume).withExec(["touch", "/v/ran"]);
    await marked.id();
    await marked.file("/x").id();
    const seen = (): Promise<string> =>
      t.fresh().withMountedCache("/v", volume).withExec(["ls", "/v"]).stdout();
    assert.equal(await seen(), "");
    await marked.sync();
    assert.equal(await seen(), "ran\n");
  },
  takes_a_failing_exec_into_a_chain_and_fails_when_it_is_needed: async (dag, t) => {
    const failing = t.fresh().withExec(["sh", "-c", "exit 7"]);
    const directory = dag.directory().withDirectory("x", failing.directory("/etc"));
    await directory.id();
    await t.expectExecError(() => failing.sync(), 7);
    await t.expectExecError(() => directory.entries(), 7);
  },
  fails_at_sync_not_before_with_an_error_put_into_the_chain: async (_dag, t) => {
    const message = t.unique("planned");
    const failing = t.base().withError(message).withEnvVariable("A", "1");
    await t.expectError(() => failing.sync(), new RegExp(message));
  },
  passes_an_empty_error_through: async (dag, t) => {
    assert.equal(await t.base().withError("").withExec(["echo", "ok"]).stdout(), "ok\n");
    assert.deepEqual(await dag.directory().withError("").withNewFile("a", "").entries(), ["a"]);
  },
  fails_a_directory_with_an_error_put_into_the_chain: async (dag, t) => {
    const message = t.unique("planned");
    await t.expectError(() => dag.directory().withError(message).entries(), new RegExp(message));
  },
  continues_from_what_sync_returned: async (_dag, t) => {
    const synced = await t.sh("echo one > /f").sync();
    const out = await synced.withExec(["sh", "-c", "echo two >> /f; cat /f"]).stdout();
    assert.equal(out, "one\ntwo\n");
  },
  carries_out_a_chain_of_a_hundred_steps: async (dag) => {
    let directory = dag.directory();
    for (let i = 0; i < 100; i++) directory = directory.withNewFile(`f${String(i)}`, String(i));
    assert.equal((await directory.entries()).length, 100);
    assert.equal(await directory.file("f99").contents(), "99");
  },
  answers_several_fields_of_one_query_together: async (_dag, t) => {
    const answer = await t.query<{
      a: { withNewFile: { entries: string[]; file: { size: number; name: string } } };
      b: { entries: string[] };
    }>(`{
      a: directory { withNewFile(path: "x", contents: "abc") {
        entries
        file(path: "x") { size name }
      } }
      b: directory { entries }
    }`);
    assert.deepEqual(answer, {
      a: { withNewFile: { entries: ["x"], file: { size: 3, name: "x" } } },
      b: { entries: [] },
    });
  },
  takes_values_from_query_variables: async (_dag, t) => {
    const answer = await t.query<{ file: { contents: string } }>(
      `query ($name: String!, $text: String!) { file(name: $name, contents: $text) { contents } }`,
      { name: "x", text: 'a "quoted" line\nand ü' },
    );
    assert.equal(answer.file.contents, 'a "quoted" line\nand ü');
  },
  refuses_a_field_that_does_not_exist_by_its_name: async (_dag, t) => {
    await t.expectError(() => t.query(`{ container { frobnicate } }`), /frobnicate/);
  },
  refuses_an_argument_that_is_missing_by_its_name: async (_dag, t) => {
    await t.expectError(() => t.query(`{ container { from { id } } }`), /address/);
  },
});
