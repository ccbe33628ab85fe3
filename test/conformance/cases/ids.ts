import assert from "node:assert/strict";

import type { ContainerID, DirectoryID, FileID, SecretID } from "@dagger.io/dagger";

import { topic } from "../case.js";

export const ids = topic("ids", {
  bring_a_container_back: async (dag, t) => {
    const id = await t.base().withEnvVariable("A", "1").withNewFile("/f", "x").id();
    const again = dag.loadContainerFromID(id as string as ContainerID);
    assert.equal(await again.envVariable("A"), "1");
    assert.equal(await again.withExec(["cat", "/f"]).stdout(), "x");
  },
  bring_a_directory_and_a_file_back: async (dag) => {
    const source = dag.directory().withNewFile("d/f", "x");
    const directory = dag.loadDirectoryFromID((await source.id()) as string as DirectoryID);
    assert.deepEqual(await directory.entries({ path: "d" }), ["f"]);
    const file = dag.loadFileFromID((await source.file("d/f").id()) as string as FileID);
    assert.equal(await file.contents(), "x");
  },
  bring_a_secret_back: async (dag, t) => {
    const value = t.unique("value");
    const id = await dag.setSecret(t.unique("name"), value).id();
    assert.equal(await dag.loadSecretFromID(id as string as SecretID).plaintext(), value);
  },
  do_not_hold_the_plaintext_of_a_secret: async (dag, t) => {
    const value = t.unique("value");
    const id = await t.base().withSecretVariable("S", dag.setSecret(t.unique(), value)).id();
    assert.ok(!id.includes(value));
    assert.ok(!Buffer.from(id, "base64").includes(value));
  },
  are_resolved_by_node_with_a_type_condition: async (dag, t) => {
    const id = await dag.directory().withNewFile("f", "x").id();
    const answer = await t.query<{ node: { entries: string[] } }>(
      `query ($id: ID!) { node(id: $id) { ... on Directory { entries } } }`,
      { id },
    );
    assert.deepEqual(answer, { node: { entries: ["f"] } });
  },
  tell_their_type_by_node: async (dag, t) => {
    const id = await dag.file("f", "x").id();
    const answer = await t.query<{ node: { __typename: string } }>(
      `query ($id: ID!) { node(id: $id) { __typename id } }`,
      { id },
    );
    assert.equal(answer.node.__typename, "File");
  },
  are_taken_as_arguments: async (dag, t) => {
    const id = await dag.directory().withNewFile("f", "x").id();
    const answer = await t.query<{ directory: { withDirectory: { entries: string[] } } }>(
      `query ($id: ID!) { directory { withDirectory(path: "d", source: $id) { entries(path: "d") } } }`,
      { id },
    );
    assert.deepEqual(answer.directory.withDirectory.entries, ["f"]);
  },
  are_refused_when_they_are_of_another_type: async (dag, t) => {
    const id = await dag.file("f", "x").id();
    await t.expectError(
      () => dag.loadContainerFromID(id as string as ContainerID).defaultArgs(),
      /File/,
    );
  },
  are_refused_when_they_are_nonsense: async (dag, t) => {
    await t.expectError(() => dag.loadFileFromID("nonsense" as FileID).contents(), /./);
  },
  bring_back_an_exec_without_running_it_again: async (dag, t) => {
    const ran = t.fresh().withExec(["sh", "-c", "head -c 16 /dev/urandom | sha256sum"]);
    const before = await ran.stdout();
    const again = dag.loadContainerFromID((await ran.id()) as string as ContainerID);
    assert.equal(await again.stdout(), before);
  },
});
