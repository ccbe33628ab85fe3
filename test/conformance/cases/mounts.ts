import assert from "node:assert/strict";

import { topic } from "../case.js";

export const mounts = topic("mounts", {
  show_a_directory_to_an_exec: async (dag, t) => {
    const source = dag.directory().withNewFile("a/b", "mounted");
    const ran = t.base().withMountedDirectory("/m", source).withExec(["cat", "/m/a/b"]);
    assert.equal(await ran.stdout(), "mounted");
  },
  keep_what_an_exec_wrote_for_the_next: async (dag, t) => {
    const ran = t
      .base()
      .withMountedDirectory("/m", dag.directory())
      .withExec(["sh", "-c", "echo 1 > /m/f"])
      .withExec(["sh", "-c", "echo 2 >> /m/f"]);
    assert.equal(await ran.file("/m/f").contents(), "1\n2\n");
    assert.deepEqual(await ran.directory("/m").entries(), ["f"]);
  },
  leave_the_source_as_it_was: async (dag, t) => {
    const source = dag.directory().withNewFile("f", "before");
    const ran = t
      .base()
      .withMountedDirectory("/m", source)
      .withExec(["sh", "-c", "echo after > /m/f"]);
    assert.equal(await ran.file("/m/f").contents(), "after\n");
    assert.equal(await source.file("f").contents(), "before");
  },
  are_not_in_the_root_file_system: async (dag, t) => {
    const ran = t
      .base()
      .withMountedDirectory("/m", dag.directory().withNewFile("f", ""))
      .withExec(["touch", "/m/g", "/in-root"]);
    const root = ran.rootfs();
    assert.equal(await root.exists("in-root"), true);
    assert.equal(await root.exists("m/f"), false);
    assert.equal(await root.exists("m/g"), false);
  },
  refuse_writes_when_read_only: async (dag, t) => {
    const container = t
      .base()
      .withMountedDirectory("/m", dag.directory().withNewFile("f", "x"), { readOnly: true });
    assert.equal(await container.withExec(["cat", "/m/f"]).stdout(), "x");
    const error = await t.expectExecError(() => container.withExec(["touch", "/m/g"]).sync(), 1);
    assert.match(error.stderr, /Read-only file system/);
  },
  hide_what_is_beneath_and_show_it_again: async (dag, t) => {
    const container = t
      .base()
      .withNewFile("/m/below", "")
      .withMountedDirectory("/m", dag.directory().withNewFile("above", ""));
    assert.equal(await container.withExec(["ls", "/m"]).stdout(), "above\n");
    assert.equal(await container.withoutMount("/m").withExec(["ls", "/m"]).stdout(), "below\n");
  },
  put_a_file_in_place: async (dag, t) => {
    const ran = t
      .base()
      .withMountedFile("/etc/hello", dag.file("any-name", "hello"))
      .withExec(["cat", "/etc/hello"]);
    assert.equal(await ran.stdout(), "hello");
    assert.equal(await ran.file("/etc/hello").contents(), "hello");
  },
  give_an_owner_to_all_that_is_in_them: async (dag, t) => {
    const ran = t
      .base()
      .withMountedDirectory("/m", dag.directory().withNewFile("d/f", ""), { owner: "1234:5678" })
      .withExec(["stat", "-c", "%u:%g", "/m", "/m/d", "/m/d/f"]);
    assert.equal(await ran.stdout(), "1234:5678\n".repeat(3));
  },
  resolve_names_of_owners_in_the_container: async (dag, t) => {
    const ran = t
      .base()
      .withMountedFile("/f", dag.file("f", ""), { owner: "nobody" })
      .withExec(["stat", "-c", "%u:%g", "/f"]);
    assert.equal(await ran.stdout(), "65534:65534\n");
  },
  fail_with_the_name_of_an_owner_that_does_not_exist: async (dag, t) => {
    const container = t.base().withMountedFile("/f", dag.file("f", ""), { owner: "martian" });
    await t.expectError(() => container.withExec(["true"]).sync(), /martian/);
  },
  are_empty_at_every_exec_when_temporary: async (_dag, t) => {
    const container = t.base().withMountedTemp("/t").withExec(["touch", "/t/f"]);
    assert.equal(await container.withExec(["ls", "/t"]).stdout(), "");
    await t.expectError(() => container.file("/t/f").contents(), /cannot retrieve path from tmpfs/);
  },
  limit_the_size_of_a_temporary_one: async (_dag, t) => {
    const ran = t
      .base()
      .withMountedTemp("/t", { size: 65536 })
      .withExec(["sh", "-c", "head -c 200000 /dev/zero > /t/f && echo fits || echo full"]);
    assert.equal(await ran.stdout(), "full\n");
  },
  are_listed_by_path: async (dag, t) => {
    const container = t
      .base()
      .withMountedDirectory("/b", dag.directory())
      .withMountedTemp("/a")
      .withMountedCache("/c", dag.cacheVolume(t.unique()));
    assert.deepEqual((await container.mounts()).sort(), ["/a", "/b", "/c"]);
    assert.deepEqual((await container.withoutMount("/a").mounts()).sort(), ["/b", "/c"]);
  },
  replace_a_mount_of_the_same_path: async (dag, t) => {
    const container = t
      .base()
      .withMountedDirectory("/m", dag.directory().withNewFile("first", ""))
      .withMountedDirectory("/m", dag.directory().withNewFile("second", ""));
    assert.deepEqual(await container.mounts(), ["/m"]);
    assert.equal(await container.withExec(["ls", "/m"]).stdout(), "second\n");
  },
  take_files_written_by_later_steps: async (dag, t) => {
    const container = t
      .base()
      .withMountedDirectory("/m", dag.directory().withNewFile("a", "1"))
      .withNewFile("/m/b", "2")
      .withDirectory("/m/c", dag.directory().withNewFile("d", "3"))
      .withoutFile("/m/a");
    assert.deepEqual(await container.directory("/m").glob("**/*"), ["b", "c/", "c/d"]);
    assert.equal(await container.withExec(["cat", "/m/b", "/m/c/d"]).stdout(), "23");
    assert.equal(await container.rootfs().exists("m/b"), false);
  },
  are_relative_to_the_workdir: async (dag, t) => {
    const container = t
      .base()
      .withWorkdir("/w")
      .withMountedDirectory("m", dag.directory().withNewFile("f", "x"));
    assert.deepEqual(await container.mounts(), ["/w/m"]);
    assert.equal(await container.withExec(["cat", "m/f"]).stdout(), "x");
  },
  expand_variables_in_their_path: async (dag, t) => {
    const container = t
      .base()
      .withEnvVariable("WHERE", "deep")
      .withMountedDirectory("/${WHERE}/m", dag.directory().withNewFile("f", "x"), { expand: true });
    assert.equal(await container.withExec(["cat", "/deep/m/f"]).stdout(), "x");
  },
  nest: async (dag, t) => {
    const container = t
      .base()
      .withMountedDirectory("/m", dag.directory().withNewFile("f", "outer"))
      .withMountedDirectory("/m/in", dag.directory().withNewFile("f", "inner"));
    assert.equal(await container.withExec(["cat", "/m/f", "/m/in/f"]).stdout(), "outerinner");
    assert.equal(await container.file("/m/in/f").contents(), "inner");
  },
});
