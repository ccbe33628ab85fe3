import assert from "node:assert/strict";
import { chmod, readFile, readdir, readlink, stat, symlink } from "node:fs/promises";
import { join } from "node:path";

import { topic } from "../case.js";
import { plant } from "../plant.js";

export const host = topic("host", {
  gives_a_directory: async (dag, t) => {
    await plant(t.dir, { "a.txt": "1", "sub/b.txt": "2" });
    const directory = dag.host().directory(t.dir);
    assert.deepEqual(await directory.entries(), ["a.txt", "sub/"]);
    assert.equal(await directory.file("sub/b.txt").contents(), "2");
  },
  gives_a_file: async (dag, t) => {
    await plant(t.dir, { "a.txt": "1" });
    const file = dag.host().file(join(t.dir, "a.txt"));
    assert.equal(await file.contents(), "1");
    assert.equal(await file.name(), "a.txt");
  },
  leaves_out_what_is_excluded: async (dag, t) => {
    await plant(t.dir, { "a.txt": "", "b.rar": "", "node_modules/x/y": "", "sub/c.rar": "" });
    const directory = dag.host().directory(t.dir, { exclude: ["**/*.rar", "node_modules"] });
    assert.deepEqual((await directory.glob("**/*")).sort(), ["a.txt", "sub/"]);
  },
  takes_only_what_is_included: async (dag, t) => {
    await plant(t.dir, { "a.txt": "", "b.rar": "", "sub/c.rar": "" });
    const top = dag.host().directory(t.dir, { include: ["*.rar"] });
    assert.deepEqual(await top.entries(), ["b.rar"]);
    const all = dag.host().directory(t.dir, { include: ["**/*.rar"] });
    assert.deepEqual((await all.glob("**/*")).sort(), ["b.rar", "sub/", "sub/c.rar"]);
  },
  lets_exclude_win_over_include: async (dag, t) => {
    await plant(t.dir, { "a.txt": "", "b.txt": "", "c.md": "" });
    const one = dag.host().directory(t.dir, { include: ["*.txt"], exclude: ["b.txt"] });
    assert.deepEqual(await one.entries(), ["a.txt"]);
    const none = dag.host().directory(t.dir, { include: ["a.txt"], exclude: ["*.txt"] });
    assert.deepEqual(await none.entries(), []);
  },
  takes_back_an_exclusion_with_an_exclamation_mark: async (dag, t) => {
    await plant(t.dir, { "a.log": "", "keep.log": "", "b.txt": "" });
    const directory = dag.host().directory(t.dir, { exclude: ["*.log", "!keep.log"] });
    assert.deepEqual(await directory.entries(), ["b.txt", "keep.log"]);
  },
  obeys_gitignore_in_a_repository: async (dag, t) => {
    await plant(t.dir, {
      ".git/HEAD": "",
      ".gitignore": "*.log\n/build/\n!keep.log\n",
      "a.log": "",
      "keep.log": "",
      "build/x": "",
      "sub/build/y": "",
      "sub/.gitignore": "local\n",
      "sub/local": "",
      "sub/b.log": "",
    });
    const directory = dag.host().directory(t.dir, { gitignore: true, exclude: [".git"] });
    assert.deepEqual(await directory.entries(), [".gitignore", "keep.log", "sub/"]);
    assert.deepEqual(await directory.entries({ path: "sub" }), [".gitignore", "build/"]);
  },
  obeys_gitignore_outside_of_a_repository_too: async (dag, t) => {
    await plant(t.dir, { ".gitignore": "*.log\n", "a.log": "", "a.txt": "" });
    const directory = dag.host().directory(t.dir, { gitignore: true });
    assert.deepEqual(await directory.entries(), [".gitignore", "a.txt"]);
  },
  keeps_modes_and_symlinks: async (dag, t) => {
    await plant(t.dir, { run: "", "d/f": "x" });
    await chmod(join(t.dir, "run"), 0o755);
    await symlink("d/f", join(t.dir, "link"));
    await symlink("/nowhere", join(t.dir, "dangling"));
    const ran = t
      .base()
      .withDirectory("/h", dag.host().directory(t.dir))
      .withExec(["sh", "-c", "stat -c %a /h/run; readlink /h/link; readlink /h/dangling"]);
    assert.equal(await ran.stdout(), "755\nd/f\n/nowhere\n");
  },
  gives_what_it_takes_to_root: async (dag, t) => {
    await plant(t.dir, { f: "" });
    const ran = t
      .base()
      .withMountedDirectory("/h", dag.host().directory(t.dir))
      .withExec(["stat", "-c", "%u:%g", "/h/f"]);
    assert.equal(await ran.stdout(), "0:0\n");
  },
  takes_a_directory_once_a_session_unless_told_otherwise: async (dag, t) => {
    await plant(t.dir, { f: "first" });
    const read = (noCache: boolean): Promise<string> =>
      dag.host().directory(t.dir, { noCache }).file("f").contents();
    assert.equal(await read(false), "first");
    await plant(t.dir, { f: "second" });
    assert.equal(await read(false), "first");
    assert.equal(await read(true), "second");
  },
  fails_with_the_path_that_is_not_there: async (dag, t) => {
    const path = join(t.dir, "gone");
    await t.expectError(
      () => dag.host().directory(path).entries(),
      /gone: no such file or directory/,
    );
    await t.expectError(() => dag.host().file(path).contents(), /gone.*no such file or directory/);
  },
  finds_a_file_in_this_folder_or_above: async (dag, t) => {
    await plant(t.dir, { "a/mark": "", "a/b/c/f": "" });
    const found = await dag.host().directory(t.dir).findUp("mark", "a/b/c");
    assert.equal(found, "a/mark");
  },
  takes_an_exported_directory_beside_what_is_there: async (dag, t) => {
    await plant(t.dir, { "out/old": "old", "out/same": "before" });
    const path = join(t.dir, "out");
    const exported = dag.directory().withNewFile("same", "after").withNewFile("d/new", "new");
    assert.equal(await exported.export(path), path);
    assert.deepEqual((await readdir(path)).sort(), ["d", "old", "same"]);
    assert.equal(await readFile(join(path, "same"), "utf8"), "after");
  },
  takes_an_exported_directory_instead_when_wiping: async (dag, t) => {
    await plant(t.dir, { "out/old": "old", "out/d/old": "" });
    const path = join(t.dir, "out");
    await dag.directory().withNewFile("d/new", "").export(path, { wipe: true });
    assert.deepEqual(await readdir(path), ["d"]);
    assert.deepEqual(await readdir(join(path, "d")), ["new"]);
  },
  takes_modes_and_symlinks_of_an_exported_directory: async (dag, t) => {
    const path = join(t.dir, "out");
    await dag
      .directory()
      .withNewFile("run", "", { permissions: 0o750 })
      .withSymlink("run", "link")
      .export(path);
    assert.equal((await stat(join(path, "run"))).mode & 0o777, 0o750);
    assert.equal(await readlink(join(path, "link")), "run");
  },
});
