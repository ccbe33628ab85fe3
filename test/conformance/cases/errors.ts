import assert from "node:assert/strict";

import { ExecError, ReturnType } from "@dagger.io/dagger";

import { topic } from "../case.js";

export const errors = topic("errors", {
  carry_command_exit_code_and_both_streams: async (_dag, t) => {
    const command = ["sh", "-c", "echo out; echo err >&2; exit 42"];
    const error = await t.expectExecError(() => t.base().withExec(command).sync(), 42);
    assert.deepEqual(error.cmd, command);
    assert.equal(error.stdout.trim(), "out");
    assert.equal(error.stderr.trim(), "err");
    assert.match(error.message, /exit code: 42/);
  },
  carry_the_streams_also_when_redirected: async (_dag, t) => {
    const failing = t.base().withExec(["sh", "-c", "echo out; echo err >&2; exit 2"], {
      redirectStdout: "/o",
      redirectStderr: "/e",
    });
    const error = await t.expectExecError(() => failing.sync(), 2);
    assert.equal(error.stdout.trim(), "out");
    assert.equal(error.stderr.trim(), "err");
  },
  come_from_every_way_to_use_the_failed_container: async (_dag, t) => {
    const failed = t.base().withExec(["sh", "-c", "exit 9"]);
    await t.expectExecError(() => failed.stdout(), 9);
    await t.expectExecError(() => failed.exitCode(), 9);
    await t.expectExecError(() => failed.file("/etc/passwd").contents(), 9);
    await t.expectExecError(() => failed.directory("/").entries(), 9);
    await t.expectExecError(() => failed.withNewFile("/a", "").withExec(["true"]).sync(), 9);
  },
  come_from_a_failure_in_an_argument: async (dag, t) => {
    const broken = t.base().withExec(["sh", "-c", "exit 5"]).directory("/etc");
    await t.expectExecError(() => dag.directory().withDirectory("x", broken).entries(), 5);
  },
  stop_the_chain: async (dag, t) => {
    const volume = dag.cacheVolume(t.unique("stop"));
    const chain = t
      .base()
      .withMountedCache("/v", volume)
      .withExec(["sh", "-c", "exit 1"])
      .withExec(["touch", "/v/reached"]);
    await t.expectExecError(() => chain.sync(), 1);
    const seen = await t.fresh().withMountedCache("/v", volume).withExec(["ls", "/v"]).stdout();
    assert.equal(seen, "");
  },
  do_not_occur_when_any_result_is_expected: async (_dag, t) => {
    for (const code of [0, 1, 254]) {
      const ran = t
        .base()
        .withExec(["sh", "-c", `echo said; exit ${String(code)}`], { expect: ReturnType.Any });
      assert.equal(await ran.exitCode(), code);
      assert.equal(await ran.stdout(), "said\n");
    }
  },
  do_not_occur_when_failure_is_expected: async (_dag, t) => {
    const ran = t.base().withExec(["sh", "-c", "exit 254"], { expect: ReturnType.Failure });
    assert.equal(await ran.exitCode(), 254);
  },
  occur_when_an_expected_failure_succeeds: async (_dag, t) => {
    const ran = t.base().withExec(["true"], { expect: ReturnType.Failure });
    const error = await t.expectExecError(() => ran.exitCode(), 0);
    assert.match(error.message, /exit code: 0/);
  },
  keep_what_an_expected_failure_wrote: async (_dag, t) => {
    const ran = t
      .base()
      .withExec(["sh", "-c", "echo kept > /f; exit 1"], { expect: ReturnType.Any });
    assert.equal(await ran.file("/f").contents(), "kept\n");
  },
  occur_for_a_killed_process_whatever_is_expected: async (_dag, t) => {
    for (const expect of [ReturnType.Success, ReturnType.Failure, ReturnType.Any]) {
      const ran = t.base().withExec(["sh", "-c", "kill -9 $$"], { expect });
      await t.expectExecError(() => ran.exitCode(), 137);
    }
  },
  keep_the_end_of_a_long_output: async (_dag, t) => {
    const script = "head -c 300000 /dev/zero | tr '\\0' a; echo; echo THE-END; exit 1";
    const error = await t.expectExecError(() => t.base().withExec(["sh", "-c", script]).sync(), 1);
    assert.match(error.stdout, /THE-END\s*$/);
    assert.ok(error.stdout.length < 300_000, `${String(error.stdout.length)} bytes`);
  },
  name_a_program_that_is_not_there: async (_dag, t) => {
    const missing = t.unique("nope");
    const error = await t.expectError(() => t.base().withExec([missing]).sync(), /./);
    const text = error instanceof ExecError ? `${error.message}${error.stderr}` : error.message;
    assert.match(text, new RegExp(`${missing}.*(not found|no such file)`, "is"));
  },
  name_a_file_that_is_not_there: async (dag, t) => {
    const enoent = /gone: no such file or directory/;
    await t.expectError(() => t.base().file("/tmp/gone").contents(), enoent);
    await t.expectError(() => dag.directory().file("gone").contents(), enoent);
    await t.expectError(() => dag.directory().directory("gone").entries(), enoent);
  },
  tell_files_and_directories_apart: async (dag, t) => {
    const directory = dag.directory().withNewFile("d/f", "");
    const container = t.base().withMountedDirectory("/m", directory);
    await t.expectError(() => container.file("/m/d").contents(), /is a directory, not a file/);
    await t.expectError(
      () => container.directory("/m/d/f").entries(),
      /is a file, not a directory/,
    );
  },
  name_an_image_reference_that_cannot_be_parsed: async (dag, t) => {
    await t.expectError(() => dag.container().from("Not A Ref").sync(), /Not A Ref/);
  },
  name_an_image_that_is_not_there: async (dag, t) => {
    const ref = `busybox:${t.unique("missing")}`;
    await t.expectError(() => dag.container().from(ref).sync(), new RegExp(ref));
  },
  fail_one_branch_and_not_its_sibling: async (_dag, t) => {
    const [good, bad] = await Promise.allSettled([
      t.fresh().withExec(["sh", "-c", "sleep 0.3; echo fine"]).stdout(),
      t.fresh().withExec(["sh", "-c", "exit 1"]).stdout(),
    ]);
    assert.deepEqual(good, { status: "fulfilled", value: "fine\n" });
    assert.equal(bad.status, "rejected");
  },
  are_not_cached: async (dag, t) => {
    const volume = dag.cacheVolume(t.unique("flaky"));
    const flaky = t
      .base()
      .withMountedCache("/v", volume)
      .withExec(["sh", "-c", "test -e /v/second && echo ok || { touch /v/second; exit 1; }"]);
    await t.expectExecError(() => flaky.stdout(), 1);
    assert.equal(await flaky.stdout(), "ok\n");
  },
});
