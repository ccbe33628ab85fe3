import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

import type { Client, Directory } from "@dagger.io/dagger";

import { topic, type Tools } from "../case.js";

const NESTED = fileURLToPath(new URL("../fixtures/nested", import.meta.url));

/** Asks the module whose code is not beside its dagger.json. */
async function call(
  dag: Client,
  t: Tools,
  name: string,
  args: Record<string, Directory> = {},
): Promise<unknown> {
  await dag.moduleSource(NESTED).asModule().serve();
  const [[argument, value] = []] = Object.entries(args);
  const [head, given] = argument ? ["query ($id: ID!) ", `(${argument}: $id)`] : ["", ""];
  const document = `${head}{ nested { ${name}${given} } }`;
  const answer = await t.query<{ nested: Record<string, unknown> }>(
    document,
    value && { id: await value.id() },
  );
  return answer.nested[name];
}

const some = (dag: Client): Directory =>
  dag.directory().withNewFile("a.txt", "").withNewFile("b.log", "").withNewFile("keep.log", "");

export const nestedModule = topic("modules", {
  start_default_paths_in_the_folder_of_their_dagger_json: async (dag, t) => {
    assert.deepEqual(await call(dag, t, "directory"), ["note.txt"]);
    assert.equal(await call(dag, t, "file"), "beside dagger.json");
    assert.equal(await call(dag, t, "absolute"), "beside dagger.json");
  },
  refuse_a_default_path_outside_of_their_context: async (dag, t) => {
    await t.expectError(() => call(dag, t, "outside"), /is outside of context directory/);
  },
  load_a_container_from_its_default_address: async (dag, t) => {
    assert.equal(await call(dag, t, "image"), "from its address\n");
  },
  ignore_what_they_say_in_a_directory_that_is_given: async (dag, t) => {
    assert.deepEqual(await call(dag, t, "kept", { source: some(dag) }), ["a.txt", "keep.log"]);
  },
  ignore_nothing_of_a_directory_given_in_the_place_of_a_default: async (dag, t) => {
    assert.deepEqual(await call(dag, t, "directory", { source: some(dag) }), [
      "a.txt",
      "b.log",
      "keep.log",
    ]);
  },
});
