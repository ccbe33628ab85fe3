import assert from "node:assert/strict";

import { ExistsType, FileType, type Client, type Directory } from "@dagger.io/dagger";

import { topic } from "../case.js";

function tree(dag: Client): Directory {
  return dag
    .directory()
    .withNewFile("main.go", "m")
    .withNewFile("README.md", "r")
    .withNewFile("sub/a.md", "a")
    .withNewFile("sub/deep/b.md", "b")
    .withNewFile("sub/deep/c.go", "c")
    .withNewDirectory("empty");
}

export const directory = topic("directory", {
  lists_entries_sorted_with_a_slash_after_directories: async (dag) => {
    assert.deepEqual(await tree(dag).entries(), ["README.md", "empty/", "main.go", "sub/"]);
    assert.deepEqual(await tree(dag).entries({ path: "sub" }), ["a.md", "deep/"]);
    assert.deepEqual(await dag.directory().entries(), []);
  },
  globs_like_a_shell: async (dag) => {
    const glob = async (pattern: string): Promise<string[]> =>
      (await tree(dag).glob(pattern)).sort();
    assert.deepEqual(await glob("*.md"), ["README.md"]);
    assert.deepEqual(await glob("**/*.md"), ["README.md", "sub/a.md", "sub/deep/b.md"]);
    assert.deepEqual(await glob("sub/**/*.go"), ["sub/deep/c.go"]);
    assert.deepEqual(await glob("none*"), []);
    assert.ok((await glob("**/*")).includes("sub/deep/"));
  },
  globs_relative_to_a_subdirectory: async (dag) => {
    assert.deepEqual((await tree(dag).directory("sub").glob("**/*.md")).sort(), [
      "a.md",
      "deep/b.md",
    ]);
  },
  filters_by_include_and_exclude: async (dag) => {
    const all = tree(dag);
    const paths = async (d: Directory): Promise<string[]> => (await d.glob("**/*")).sort();
    assert.deepEqual(await paths(all.filter({ include: ["**/*.go"] })), [
      "main.go",
      "sub/",
      "sub/deep/",
      "sub/deep/c.go",
    ]);
    assert.deepEqual(await paths(all.filter({ exclude: ["**/*.md", "empty"] })), [
      "main.go",
      "sub/",
      "sub/deep/",
      "sub/deep/c.go",
    ]);
    assert.deepEqual(await paths(all.filter({ include: ["*.md", "*.go"], exclude: ["main*"] })), [
      "README.md",
    ]);
  },
  filters_by_gitignore: async (dag) => {
    const filtered = tree(dag).withNewFile(".gitignore", "*.md\n!README.md\nempty/\n");
    const entries = await filtered.filter({ gitignore: true }).entries();
    assert.deepEqual(entries, [".gitignore", "README.md", "main.go", "sub/"]);
  },
  selects_a_subdirectory: async (dag) => {
    const sub = tree(dag).directory("sub");
    assert.deepEqual(await sub.entries(), ["a.md", "deep/"]);
    assert.deepEqual(await sub.withNewFile("new", "").entries(), ["a.md", "deep/", "new"]);
    assert.equal(await sub.file("deep/b.md").contents(), "b");
    assert.equal(await sub.name(), "sub/");
  },
  shows_only_what_the_other_side_of_a_diff_adds_or_changes: async (dag) => {
    const before = dag.directory().withNewFile("same", "s").withNewFile("changed", "1");
    const after = before.withNewFile("changed", "2").withNewFile("added", "").withoutFile("same");
    assert.deepEqual(await before.diff(after).entries(), ["added", "changed"]);
  },
  shows_nothing_in_a_diff_with_itself: async (dag) => {
    assert.deepEqual(await tree(dag).diff(tree(dag)).entries(), []);
  },
  gives_permissions_to_new_files_and_directories: async (dag) => {
    const made = dag
      .directory()
      .withNewFile("default", "")
      .withNewFile("tight", "", { permissions: 0o600 })
      .withNewFile("run", "", { permissions: 0o755 })
      .withNewDirectory("dir", { permissions: 0o700 })
      .withNewDirectory("plain");
    const mode = (path: string): Promise<number> => made.stat(path).permissions();
    assert.deepEqual(
      await Promise.all(["default", "tight", "run", "dir", "plain"].map(mode)),
      [0o644, 0o600, 0o755, 0o700, 0o644],
    );
  },
  replaces_a_file: async (dag) => {
    const replaced = tree(dag).withNewFile("main.go", "new");
    assert.equal(await replaced.file("main.go").contents(), "new");
  },
  refuses_to_leave_the_directory: async (dag, t) => {
    const sub = tree(dag).directory("sub");
    await t.expectError(() => sub.withNewDirectory("../x").sync(), /outside/);
  },
  refuses_a_name_that_is_too_long: async (dag, t) => {
    const long = dag.directory().withNewFile("x".repeat(256), "");
    await t.expectError(() => long.sync(), /255 characters/);
  },
  removes_files_and_directories_by_pattern: async (dag) => {
    const all = tree(dag);
    assert.deepEqual(await all.withoutDirectory("sub").entries(), [
      "README.md",
      "empty/",
      "main.go",
    ]);
    assert.deepEqual(await all.withoutFile("*.md").entries(), ["empty/", "main.go", "sub/"]);
    assert.deepEqual(await all.withoutFiles(["main.go", "README.md"]).entries(), [
      "empty/",
      "sub/",
    ]);
    assert.deepEqual((await all.withoutFile("sub/deep/b.md").glob("**/*.md")).sort(), [
      "README.md",
      "sub/a.md",
    ]);
  },
  ignores_the_removal_of_what_is_not_there: async (dag) => {
    const all = tree(dag).withoutFile("gone").withoutDirectory("gone-too");
    assert.equal((await all.entries()).length, 4);
  },
  sets_timestamps_of_everything: async (dag, t) => {
    const stamped = tree(dag).withTimestamps(499162500);
    const ran = t
      .base()
      .withMountedDirectory("/m", stamped)
      .withExec(["stat", "-c", "%Y", "/m/main.go", "/m/sub", "/m/sub/deep/c.go"]);
    assert.equal(await ran.stdout(), "499162500\n".repeat(3));
  },
  follows_symlinks_inside: async (dag) => {
    const linked = dag
      .directory()
      .withNewFile("real/f", "x")
      .withSymlink("real/f", "link")
      .withSymlink("/real", "absolute");
    assert.equal(await linked.file("link").contents(), "x");
    assert.equal(await linked.file("absolute/f").contents(), "x");
    assert.deepEqual(await linked.directory("absolute").entries(), ["f"]);
  },
  knows_what_exists: async (dag) => {
    const some = dag
      .directory()
      .withNewFile("d/f", "")
      .withSymlink("d/f", "l")
      .withSymlink("no", "x");
    const found = await Promise.all([
      some.exists("d/f"),
      some.exists("none"),
      some.exists("d", { expectedType: ExistsType.DirectoryType }),
      some.exists("d/f", { expectedType: ExistsType.DirectoryType }),
      some.exists("l", { expectedType: ExistsType.SymlinkType }),
      some.exists("l", { expectedType: ExistsType.RegularType }),
      some.exists("l", { expectedType: ExistsType.RegularType, doNotFollowSymlinks: true }),
      some.exists("x"),
      some.exists("x", { doNotFollowSymlinks: true }),
    ]);
    assert.deepEqual(found, [true, false, true, false, true, true, false, false, true]);
  },
  gives_facts_of_an_entry: async (dag) => {
    const some = dag
      .directory()
      .withNewFile("f", "data", { permissions: 0o444 })
      .withSymlink("f", "l");
    const file = some.stat("f");
    assert.deepEqual(
      [await file.name(), await file.size(), await file.permissions(), await file.fileType()],
      ["f", 4, 0o444, FileType.Regular],
    );
    assert.equal(await some.stat("l", { doNotFollowSymlinks: true }).fileType(), FileType.Symlink);
    assert.equal(await some.withNewDirectory("d").stat("d").fileType(), FileType.Directory);
  },
  fails_to_give_facts_of_what_is_not_there: async (dag, t) => {
    await t.expectError(() => tree(dag).stat("gone").size(), /gone: no such file or directory/);
  },
  has_a_digest_of_its_content: async (dag) => {
    const digest = await tree(dag).digest();
    assert.match(digest, /^sha256:[0-9a-f]{64}$/);
    assert.equal(
      await dag.directory().withDirectory("x", tree(dag)).directory("x").digest(),
      digest,
    );
    assert.notEqual(await tree(dag).withNewFile("main.go", "other").digest(), digest);
  },
  changes_owners_recursively: async (dag, t) => {
    const owned = tree(dag).chown("sub", "1234:5678");
    const ran = t
      .base()
      .withMountedDirectory("/m", owned)
      .withExec(["stat", "-c", "%u:%g", "/m/main.go", "/m/sub", "/m/sub/deep/b.md"]);
    assert.equal(await ran.stdout(), "0:0\n1234:5678\n1234:5678\n");
  },
});
