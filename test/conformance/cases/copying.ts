import assert from "node:assert/strict";

import { topic } from "../case.js";

export const copying = topic("copying", {
  puts_the_content_of_a_directory_into_another: async (dag) => {
    const source = dag.directory().withNewFile("a", "1").withNewFile("d/b", "2");
    const target = dag.directory().withNewFile("x/old", "0").withDirectory("x", source);
    assert.deepEqual(await target.entries({ path: "x" }), ["a", "d/", "old"]);
  },
  replaces_equal_names_with_the_later: async (dag) => {
    const merged = dag
      .directory()
      .withNewFile("f", "first")
      .withDirectory("/", dag.directory().withNewFile("f", "second"));
    assert.equal(await merged.file("f").contents(), "second");
  },
  takes_only_what_include_and_exclude_leave: async (dag) => {
    const source = dag
      .directory()
      .withNewFile("a.txt", "")
      .withNewFile("b.md", "")
      .withNewFile("node_modules/x/y.txt", "")
      .withNewFile("src/c.txt", "");
    const copied = dag
      .directory()
      .withDirectory("/", source, { include: ["**/*.txt"], exclude: ["node_modules"] });
    assert.deepEqual((await copied.glob("**/*")).sort(), ["a.txt", "src/", "src/c.txt"]);
  },
  keeps_permissions: async (dag, t) => {
    const source = dag.directory().withNewFile("run", "", { permissions: 0o755 });
    const copied = t.base().withDirectory("/d", source).withFile("/again", source.file("run"));
    assert.equal(
      await copied.withExec(["stat", "-c", "%a", "/d/run", "/again"]).stdout(),
      "755\n755\n",
    );
  },
  sets_permissions_of_a_copied_file: async (dag) => {
    const copied = dag.directory().withFile("f", dag.file("f", ""), { permissions: 0o640 });
    assert.equal(await copied.stat("f").permissions(), 0o640);
  },
  sets_the_owner_in_a_container: async (dag, t) => {
    const source = dag.directory().withNewFile("d/f", "");
    const container = t
      .base()
      .withDirectory("/named", source, { owner: "nobody" })
      .withFile("/numeric", source.file("d/f"), { owner: "1:2" })
      .withNewFile("/new", "", { owner: "3:4" })
      .withExec(["stat", "-c", "%u:%g", "/named/d/f", "/numeric", "/new"]);
    assert.equal(await container.stdout(), "65534:65534\n1:2\n3:4\n");
  },
  belongs_to_root_by_default: async (dag, t) => {
    const container = t
      .base()
      .withUser("nobody")
      .withDirectory("/d", dag.directory().withNewFile("f", ""))
      .withNewFile("/n", "")
      .withExec(["stat", "-c", "%u", "/d/f", "/n"]);
    assert.equal(await container.stdout(), "0\n0\n");
  },
  names_a_file_after_its_source_in_a_directory: async (dag, t) => {
    const file = dag.file("own-name", "x");
    assert.deepEqual(await dag.directory().withFile("/", file).entries(), ["own-name"]);
    assert.deepEqual(await dag.directory().withFiles("d", [file]).entries({ path: "d" }), [
      "own-name",
    ]);
    assert.equal(await t.base().withFile("/tmp/", file).file("/tmp/own-name").contents(), "x");
  },
  keeps_symlinks_as_they_are: async (dag, t) => {
    const source = dag
      .directory()
      .withNewFile("f", "x")
      .withSymlink("f", "l")
      .withSymlink("/no", "b");
    const ran = t
      .base()
      .withDirectory("/d", source)
      .withExec(["sh", "-c", "readlink /d/l; readlink /d/b; cat /d/l"]);
    assert.equal(await ran.stdout(), "f\n/no\nx");
  },
  writes_through_a_symlink_to_a_directory: async (dag, t) => {
    const container = t
      .sh("mkdir -p /target && ln -s /target /link")
      .withFile("/link/f", dag.file("f", "through"));
    assert.equal(await container.file("/target/f").contents(), "through");
  },
  copies_between_containers: async (_dag, t) => {
    const built = t.sh("mkdir /out; echo artifact > /out/a; chmod 750 /out/a").directory("/out");
    const ran = t
      .base()
      .withDirectory("/in", built)
      .withExec(["sh", "-c", "cat /in/a; stat -c %a /in/a"]);
    assert.equal(await ran.stdout(), "artifact\n750\n");
  },
  starts_a_container_from_a_directory: async (dag, t) => {
    const root = t.base().rootfs().withNewFile("/added", "x");
    const ran = dag.container().withRootfs(root).withExec(["/bin/cat", "/added"]);
    assert.equal(await ran.stdout(), "x");
  },
  removes_from_a_container: async (_dag, t) => {
    const container = t
      .base()
      .withNewFile("/w/a", "")
      .withNewFile("/w/b", "")
      .withNewFile("/w/d/c", "")
      .withWorkdir("/w")
      .withoutFile("a")
      .withoutDirectory("d");
    assert.equal(await container.withExec(["find", "/w"]).stdout(), "/w\n/w/b\n");
    assert.equal(await container.exists("/w/a"), false);
    assert.equal(await container.exists("b"), true);
  },
  keeps_names_with_spaces_quotes_and_non_ascii: async (dag, t) => {
    const names = ["a b", "it's", 'say "x"', "ünï", "line\nbreak", "-dash", "*star"];
    let source = dag.directory();
    for (const name of names) source = source.withNewFile(name, name);
    const copied = t.base().withDirectory("/d", source).directory("/d");
    assert.deepEqual((await copied.entries()).sort(), [...names].sort());
    assert.equal(await copied.file("line\nbreak").contents(), "line\nbreak");
  },
  makes_a_symlink_in_a_container: async (_dag, t) => {
    const container = t.base().withNewFile("/a", "x").withSymlink("/a", "/d/l");
    assert.equal(
      await container.withExec(["sh", "-c", "readlink /d/l; cat /d/l"]).stdout(),
      "/a\nx",
    );
  },
  deletes_what_an_exec_deleted: async (_dag, t) => {
    const ran = t.base().withNewFile("/d/a", "").withNewFile("/d/b", "").withExec(["rm", "/d/a"]);
    assert.deepEqual(await ran.directory("/d").entries(), ["b"]);
    const replaced = ran.withExec(["sh", "-c", "rm -r /d; mkdir /d; touch /d/c"]);
    assert.deepEqual(await replaced.directory("/d").entries(), ["c"]);
  },
});
