import assert from "node:assert/strict";

import { topic } from "../case.js";

/** What a copy meets: modes, owners, and what was there before. */
const copies = topic("changes", {
  give_the_target_of_a_copy_the_mode_and_owner_of_its_source: async (_dag, t) => {
    const source = t
      .sh("mkdir -p /s/sub; touch /s/sub/f; chmod 750 /s; chmod 701 /s/sub; chown 12:34 /s")
      .directory("/s");
    const ran = t
      .sh("mkdir -p -m 777 /old/sub; chmod 777 /old; chown 7:8 /old /old/sub")
      .withDirectory("/old", source)
      .withDirectory("/made/new", source)
      .withDirectory("/owned", source, { owner: "5:6" })
      .withExec(["stat", "-c", "%a %u:%g", "/old", "/old/sub", "/made", "/made/new", "/owned"]);
    assert.equal(await ran.stdout(), "750 12:34\n701 0:0\n755 0:0\n750 12:34\n750 5:6\n");
  },
  leave_the_root_of_a_container_as_it_is: async (_dag, t) => {
    const source = t.sh("mkdir -m 700 /s; touch /s/f; chown 12:34 /s").directory("/s");
    const ran = t
      .base()
      .withDirectory("/", source)
      .withExec(["sh", "-c", "stat -c %u:%g / /f && test $(stat -c %a /) != 700"]);
    assert.equal(await ran.stdout(), "0:0\n0:0\n");
  },
  give_permissions_to_all_that_is_copied_into_a_directory: async (dag) => {
    const source = dag.directory().withNewFile("d/f", "");
    const copied = dag.directory().withDirectory("to", source, { permissions: 0o711 });
    const mode = (path: string): Promise<number> => copied.stat(path).permissions();
    assert.deepEqual(await Promise.all(["to", "to/d", "to/d/f"].map(mode)), [0o711, 0o711, 0o711]);
  },
  take_no_permissions_for_a_directory_in_a_container: async (dag, t) => {
    const source = dag.directory().withNewFile("f", "");
    const ran = t
      .base()
      .withDirectory("/d", source, { permissions: 0o700 })
      .withExec(["stat", "-c", "%a", "/d/f"]);
    assert.equal(await ran.stdout(), "644\n");
  },
  follow_links_to_directories_at_the_target_of_a_copy: async (dag, t) => {
    const container = t
      .sh("mkdir /real; ln -s real /link")
      .withDirectory("/", dag.directory().withNewFile("link/f", "x"));
    const ran = container.withExec(["sh", "-c", "readlink /link; cat /real/f"]);
    assert.equal(await ran.stdout(), "real\nx");
  },
  put_a_directory_in_the_place_of_a_file: async (dag, t) => {
    const container = t
      .sh("echo file > /x")
      .withDirectory("/x", dag.directory().withNewFile("f", "in it"));
    assert.equal(await container.withExec(["cat", "/x/f"]).stdout(), "in it");
  },
  put_a_file_into_an_existing_directory_under_its_name: async (dag, t) => {
    const file = dag.file("own-name", "x");
    const container = t
      .sh("mkdir -p /w /x/own-name/deep")
      .withFile("/tmp", file)
      .withWorkdir("/w")
      .withFile(".", file)
      .withNewFile("/opt/tmp", "y")
      .withNewFile("/opt", "z")
      .withFile("/x", file);
    const ran = container.withExec([
      "cat",
      "/tmp/own-name",
      "/w/own-name",
      "/opt/tmp",
      "/opt/opt",
      "/x/own-name",
    ]);
    assert.equal(await ran.stdout(), "xxyzx");
  },
  give_the_owner_to_a_directory_that_a_file_is_put_into_by_a_slash: async (dag, t) => {
    const ran = t
      .sh("mkdir -m 1777 /old /kept")
      .withFile("/new/", dag.file("f", ""), { owner: "5:6" })
      .withFile("/old/", dag.file("f", ""), { owner: "5:6" })
      .withFile("/kept", dag.file("f", ""), { owner: "5:6" })
      .withExec(["stat", "-c", "%a %u:%g", "/new", "/new/f", "/old", "/kept", "/kept/f"]);
    assert.equal(await ran.stdout(), "755 5:6\n644 5:6\n1777 5:6\n1777 0:0\n644 5:6\n");
  },
  write_a_new_file_in_the_place_of_another: async (_dag, t) => {
    const ran = t
      .sh("echo old > /target; ln -s /target /link; touch /mine; chmod 600 /mine; chown 7:8 /mine")
      .withNewFile("/link", "new\n")
      .withNewFile("/mine", "")
      .withExec([
        "sh",
        "-c",
        "cat /target; test ! -L /link && cat /link; stat -c '%a %u:%g' /mine",
      ]);
    assert.equal(await ran.stdout(), "old\nnew\n644 0:0\n");
  },
});

/** What a directory's own steps leave of what is there. */
const directories = topic("changes", {
  keep_the_mode_of_a_file_that_a_directory_writes_again: async (dag) => {
    const twice = dag
      .directory()
      .withNewFile("f", "first", { permissions: 0o600 })
      .withNewFile("f", "second", { permissions: 0o755 });
    assert.equal(await twice.file("f").contents(), "second");
    assert.equal(await twice.stat("f").permissions(), 0o600);
  },
  leave_a_directory_that_is_there: async (dag) => {
    const twice = dag
      .directory()
      .withNewDirectory("d", { permissions: 0o700 })
      .withNewDirectory("d", { permissions: 0o755 });
    assert.equal(await twice.stat("d").permissions(), 0o700);
  },
  give_new_parents_of_a_directory_its_mode: async (dag) => {
    const made = dag.directory().withNewDirectory("a/b", { permissions: 0o710 });
    assert.equal(await made.stat("a").permissions(), 0o710);
    assert.equal(await made.stat("a/b").permissions(), 0o710);
  },
  remove_what_matches_component_by_component: async (dag, t) => {
    const all = dag
      .directory()
      .withNewFile("a.md", "")
      .withNewFile("d/b.md", "")
      .withNewFile("d/e/c.md", "");
    const left = async (pattern: string): Promise<string[]> =>
      (await all.withoutFile(pattern).glob("**/*.md")).sort();
    assert.deepEqual(await left("d/*.md"), ["a.md", "d/e/c.md"]);
    assert.deepEqual(await left("*/e/*.md"), ["a.md", "d/b.md"]);
    assert.deepEqual(await left("**/*.md"), ["a.md", "d/e/c.md"]);
    assert.deepEqual(await left("d/?/*.md"), ["a.md", "d/b.md"]);
    assert.deepEqual(await all.withoutDirectory("d*").entries(), ["a.md"]);
    assert.deepEqual(await all.withoutDirectory("d*/").entries(), ["a.md"]);
    await t.expectError(() => all.withoutFile("gone/*.md").sync(), /gone: no such file/);
  },
  take_a_path_without_a_star_as_it_is: async (dag) => {
    const some = dag
      .directory()
      .withNewFile("a?", "")
      .withNewFile("ab", "")
      .withNewFile("[x]", "")
      .withNewFile("x", "");
    assert.deepEqual(await some.withoutFile("a?").withoutFile("[x]").entries(), ["ab", "x"]);
  },
  list_entries_by_their_bare_names: async (dag) => {
    const some = dag.directory().withNewFile("a-b", "").withNewFile("a/f", "");
    assert.deepEqual(await some.entries(), ["a/", "a-b"]);
  },
  know_root_without_a_list_of_users: async (dag, t) => {
    const source = dag.directory().withNewFile("f", "x").chown(".", "5:6");
    const owned = dag.directory().withDirectory("d", source, { owner: "root:root" });
    const ran = t
      .base()
      .withMountedDirectory("/m", owned)
      .withExec(["stat", "-c", "%u:%g", "/m/d", "/m/d/f"]);
    assert.equal(await ran.stdout(), "0:0\n0:0\n");
  },
  replace_nothing_when_all_of_none_is_asked_for: async (dag, t) => {
    const some = dag.file("f", "a b");
    assert.equal(await some.withReplaced("z", "y", { all: true }).contents(), "a b");
    await t.expectError(() => some.withReplaced("z", "y").sync(), /search string not found/);
  },
  expand_variables_in_both_ends_of_a_link: async (_dag, t) => {
    const ran = t
      .base()
      .withEnvVariable("WHERE", "/etc/passwd")
      .withEnvVariable("NAME", "link")
      .withSymlink("$WHERE", "/${NAME}", { expand: true })
      .withSymlink("$WHERE", "/plain")
      .withExec(["sh", "-c", "readlink /link; readlink /plain"]);
    assert.equal(await ran.stdout(), "/etc/passwd\n$WHERE\n");
  },
});

export const changes = [...copies, ...directories];
