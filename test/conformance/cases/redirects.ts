import assert from "node:assert/strict";

import { ReturnType } from "@dagger.io/dagger";

import { topic } from "../case.js";

export const redirects = topic("redirects", {
  write_stdout_and_stderr_to_files_and_keep_the_streams: async (_dag, t) => {
    const ran = t.base().withExec(["sh", "-c", "echo out; echo err >&2"], {
      redirectStdout: "/o",
      redirectStderr: "/e",
    });
    assert.equal(await ran.file("/o").contents(), "out\n");
    assert.equal(await ran.file("/e").contents(), "err\n");
    assert.equal(await ran.stdout(), "out\n");
    assert.equal(await ran.stderr(), "err\n");
  },
  are_relative_to_the_workdir: async (_dag, t) => {
    const ran = t.base().withWorkdir("/tmp").withExec(["echo", "x"], { redirectStdout: "out" });
    assert.equal(await ran.file("/tmp/out").contents(), "x\n");
  },
  reach_into_a_mounted_directory: async (dag, t) => {
    const ran = t
      .base()
      .withMountedDirectory("/mnt", dag.directory().withNewFile("in", "from a mount"))
      .withExec(["cat"], { redirectStdin: "/mnt/in", redirectStdout: "/mnt/out" });
    assert.equal(await ran.directory("/mnt").file("out").contents(), "from a mount");
  },
  read_stdin_from_a_file: async (_dag, t) => {
    const ran = t.base().withNewFile("/in", "abc").withExec(["cat"], { redirectStdin: "/in" });
    assert.equal(await ran.stdout(), "abc");
  },
  refuse_stdin_twice: async (_dag, t) => {
    const ran = t.base().withExec(["cat"], { stdin: "a", redirectStdin: "/etc/passwd" });
    await t.expectError(() => ran.sync(), /stdin and redirectStdin/);
  },
  replace_what_the_file_held: async (_dag, t) => {
    const ran = t
      .base()
      .withNewFile("/o", "a long line that was there before\n")
      .withExec(["echo", "new"], { redirectStdout: "/o" });
    assert.equal(await ran.file("/o").contents(), "new\n");
  },
  expand_variables_when_asked: async (_dag, t) => {
    const ran = t
      .base()
      .withEnvVariable("WHERE", "/tmp/x")
      .withExec(["echo", "x"], { redirectStdout: "${WHERE}", expand: true });
    assert.equal(await ran.file("/tmp/x").contents(), "x\n");
  },
  keep_the_output_of_a_failure_that_is_expected: async (_dag, t) => {
    const ran = t.base().withExec(["sh", "-c", "echo partial; exit 3"], {
      redirectStdout: "/o",
      expect: ReturnType.Any,
    });
    assert.equal(await ran.file("/o").contents(), "partial\n");
    assert.equal(await ran.exitCode(), 3);
  },
});
