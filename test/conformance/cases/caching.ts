import assert from "node:assert/strict";

import { ReturnType } from "@dagger.io/dagger";

import { topic } from "../case.js";

/** A command whose output differs whenever it really runs. */
const RANDOM = ["sh", "-c", "head -c 16 /dev/urandom | sha256sum"];

export const caching = topic("caching", {
  runs_equal_work_once: async (_dag, t) => {
    const mark = t.unique();
    const once = (): Promise<string> =>
      t.base().withEnvVariable("MARK", mark).withExec(RANDOM).stdout();
    assert.equal(await once(), await once());
  },
  runs_concurrent_equal_work_once: async (_dag, t) => {
    const mark = t.unique();
    const once = (): Promise<string> =>
      t
        .base()
        .withEnvVariable("MARK", mark)
        .withExec(["sh", "-c", "sleep 0.5; head -c 16 /dev/urandom | sha256sum"])
        .stdout();
    const results = await Promise.all([once(), once(), once(), once()]);
    assert.equal(new Set(results).size, 1);
  },
  runs_again_when_a_variable_differs: async (_dag, t) => {
    const [a, b] = await Promise.all([0, 1].map(() => t.fresh().withExec(RANDOM).stdout()));
    assert.notEqual(a, b);
  },
  runs_again_when_an_argument_differs: async (_dag, t) => {
    const base = t.fresh();
    const [a, b] = await Promise.all(
      ["x", "y"].map((argument) => base.withExec([...RANDOM, argument]).stdout()),
    );
    assert.notEqual(a, b);
  },
  runs_again_when_stdin_differs: async (_dag, t) => {
    const base = t.fresh();
    const [a, b] = await Promise.all(
      ["x", "y"].map((stdin) => base.withExec(RANDOM, { stdin }).stdout()),
    );
    assert.notEqual(a, b);
  },
  runs_again_when_a_mounted_file_differs: async (dag, t) => {
    const base = t.fresh();
    const [a, b] = await Promise.all(
      ["x", "y"].map((text) =>
        base.withMountedFile("/in", dag.file("in", text)).withExec(RANDOM).stdout(),
      ),
    );
    assert.notEqual(a, b);
  },
  shares_work_between_directories_of_equal_host_content: async (dag, t) => {
    const { mkdir, writeFile } = await import("node:fs/promises");
    const base = t.fresh();
    const results: string[] = [];
    for (const name of ["one", "two"]) {
      const path = `${t.dir}/${name}`;
      await mkdir(path);
      await writeFile(`${path}/f`, "same", { mode: 0o644 });
      const source = dag.host().directory(path);
      results.push(await base.withDirectory("/src", source).withExec(RANDOM).stdout());
    }
    assert.equal(results[0], results[1]);
  },
  keeps_the_result_of_a_failure_that_is_allowed: async (_dag, t) => {
    const base = t.fresh();
    const once = (): Promise<string> =>
      base
        .withExec(["sh", "-c", `${RANDOM[2] ?? ""}; exit 3`], { expect: ReturnType.Any })
        .stdout();
    assert.equal(await once(), await once());
  },
  ignores_the_order_in_which_results_are_asked_for: async (_dag, t) => {
    const first = t.fresh().withExec(RANDOM);
    const second = first.withExec(["sh", "-c", "echo later"]);
    const [later, early] = await Promise.all([second.stdout(), first.stdout()]);
    assert.equal(later, "later\n");
    assert.equal(await first.stdout(), early);
  },
  reuses_a_prefix_of_a_chain: async (_dag, t) => {
    const prefix = t.fresh().withExec(["sh", "-c", "head -c 16 /dev/urandom | sha256sum > /id"]);
    const [a, b] = await Promise.all(
      ["a", "b"].map((text) => prefix.withExec(["sh", "-c", `cat /id; : ${text}`]).stdout()),
    );
    assert.equal(a, b);
  },
});
