import assert from "node:assert/strict";

import type { Client, Directory } from "@dagger.io/dagger";

import { topic } from "../case.js";
import { plant } from "../plant.js";

const FILES = ["a.txt", "log/a.log", "log/keep.log", "src/build/z.o", "src/c.txt", "src/d/e.txt"];
const ALL =
  "a.txt log/ log/a.log log/keep.log src/ src/build/ src/build/z.o src/c.txt src/d/ src/d/e.txt";

/** {@link FILES}, empty, and files with a text. */
function tree(texts: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { ...Object.fromEntries(FILES.map((name) => [name, ""])), ...texts };
}

function directory(dag: Client, texts?: Readonly<Record<string, string>>): Directory {
  return Object.entries(tree(texts)).reduce(
    (made, [path, text]) => made.withNewFile(path, text),
    dag.directory(),
  );
}

/** All that is in a directory, in one line. */
async function inside(made: Directory): Promise<string> {
  return (await made.glob("**/*")).sort().join(" ");
}

const without = (...names: readonly string[]): string =>
  ALL.split(" ")
    .filter((name) => !names.some((each) => name === each || name.startsWith(`${each}/`)))
    .join(" ");

export const filters = topic("filters", {
  know_no_slash_at_the_beginning: async (dag) => {
    const all = directory(dag);
    assert.equal(await inside(all.filter({ exclude: ["/src", "/a.txt"] })), ALL);
    assert.equal(await inside(all.filter({ include: ["/src"] })), "");
    const copied = dag.directory().withDirectory("/", all, { exclude: ["/src"] });
    assert.equal(await inside(copied), ALL);
    assert.deepEqual(await all.glob("/src"), []);
  },
  take_everything_of_the_host_when_no_pattern_is_inside: async (dag, t) => {
    await plant(t.dir, tree());
    const host = (include: string[]): Directory => dag.host().directory(t.dir, { include });
    for (const include of [["/src"], ["../a.txt"], ["."]])
      assert.equal(await inside(host(include)), ALL, String(include));
    const kept = dag.host().directory(t.dir, { exclude: ["/src"] });
    assert.equal(await inside(kept), ALL);
  },
  clean_their_patterns: async (dag) => {
    const all = directory(dag);
    const expected = without("a.txt", "log", "src/build/z.o");
    assert.equal(
      await inside(all.filter({ exclude: ["./a.txt", " log/ ", "src//build/./z.o"] })),
      expected,
    );
    assert.deepEqual(await all.glob("src/d/../c.txt"), ["src/c.txt"]);
    assert.deepEqual(await all.glob("./src/c.txt"), ["src/c.txt"]);
  },
  include_nothing_when_their_patterns_are_empty: async (dag) => {
    assert.equal(await inside(directory(dag).filter({ include: [""] })), "");
    assert.equal(await inside(directory(dag).filter({ exclude: [""] })), ALL);
  },
  fail_with_a_pattern_that_is_none: async (dag) => {
    const all = directory(dag);
    for (const pattern of ["[a", "a[]", "a[b-]", "a\\"]) {
      const excluded = all.filter({ exclude: [pattern] });
      await assert.rejects(() => excluded.sync(), /syntax error in pattern/, pattern);
      await assert.rejects(() => all.glob(pattern), /syntax error in pattern/, pattern);
    }
    await assert.rejects(() => all.glob(""), /empty pattern/);
  },
  take_back_of_an_ignored_folder_what_a_later_rule_does_not_ignore: async (dag, t) => {
    const texts = { ".gitignore": "log/\n!log/keep.log\n" };
    await plant(t.dir, tree(texts));
    const expected = `.gitignore ${without("log/a.log")}`;
    assert.equal(await inside(dag.host().directory(t.dir, { gitignore: true })), expected);
    assert.equal(await inside(directory(dag, texts).filter({ gitignore: true })), expected);
  },
  obey_gitignore_files_of_ignored_folders: async (dag) => {
    const all = directory(dag, { ".gitignore": "src\n", "src/.gitignore": "!c.txt\n" });
    const kept = await inside(all.filter({ gitignore: true }));
    assert.equal(kept, ".gitignore a.txt log/ log/a.log log/keep.log src/ src/c.txt");
  },
  obey_gitignore_files_above_a_part_of_a_directory: async (dag) => {
    const all = directory(dag, { ".gitignore": "build/\n/src/d\n/c.txt\n" });
    const part = all.directory("src");
    assert.equal(await inside(part.filter({ gitignore: true })), "c.txt");
    const copied = dag.directory().withDirectory("/", part, { gitignore: true });
    assert.equal(await inside(copied), "c.txt");
    // The same part of another directory is another one.
    const other = directory(dag, { ".gitignore": "*.txt\n" }).directory("src");
    assert.equal(await inside(other.filter({ gitignore: true })), "build/ build/z.o d/");
  },
  obey_gitignore_files_of_the_repository_of_a_folder: async (dag, t) => {
    const texts = { ".gitignore": "build/\n", ".git/HEAD": "ref: refs/heads/main\n" };
    await plant(t.dir, tree(texts));
    const part = dag.host().directory(`${t.dir}/src`, { gitignore: true });
    assert.equal(await inside(part), "c.txt d/ d/e.txt");
    const less = dag
      .host()
      .directory(`${t.dir}/src`, { gitignore: true, include: ["c.txt", "!d"] });
    assert.equal(await inside(less), "c.txt");
  },
  read_rules_of_gitignore_files: async (dag) => {
    const rules: readonly (readonly [string, string])[] = [
      ["*.txt\n!a.txt\n", without("src/c.txt", "src/d/e.txt")],
      ["!a.txt\n*.txt", without("a.txt", "src/c.txt", "src/d/e.txt")],
      ["/c.txt\nc.tx\n", ALL],
      ["src/*\n!src/d\n", without("src/build", "src/c.txt")],
      ["**/d\n", without("src/d")],
      ["src/**/e.txt\n", without("src/d/e.txt")],
      ["src/**\n", without("src")],
      ["# a.txt\n  a.txt  \r\n", without("a.txt")],
      ["[ab].txt\n?og\n", without("a.txt", "log")],
      ["d/\ne.txt/\n", without("src/d")],
      ["[a\n", ALL],
    ];
    for (const [text, expected] of rules) {
      const kept = directory(dag, { ".gitignore": text }).filter({ gitignore: true });
      assert.equal(await inside(kept), `.gitignore ${expected}`, JSON.stringify(text));
    }
  },
});
