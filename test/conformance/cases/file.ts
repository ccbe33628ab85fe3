import assert from "node:assert/strict";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { topic } from "../case.js";

export const file = topic("file", {
  gives_contents_size_and_name: async (dag) => {
    const some = dag.directory().withNewFile("d/name.txt", "héllo").file("d/name.txt");
    assert.equal(await some.contents(), "héllo");
    assert.equal(await some.size(), 6);
    assert.equal(await some.name(), "name.txt");
  },
  may_be_empty: async (dag) => {
    const some = dag.file("empty", "");
    assert.equal(await some.contents(), "");
    assert.equal(await some.size(), 0);
  },
  gives_a_range_of_lines: async (dag) => {
    const some = dag.file("lines", "1\n2\n3\n4\n5\n");
    assert.equal(await some.contents({ offsetLines: 1, limitLines: 2 }), "2\n3\n");
    assert.equal(await some.contents({ offsetLines: 3 }), "4\n5\n");
    assert.equal(await some.contents({ limitLines: 1 }), "1\n");
  },
  refuses_a_path_as_the_name_of_a_new_one: async (dag, t) => {
    await t.expectError(() => dag.file("d/f", "").sync(), /must not contain a directory/);
  },
  has_a_digest_of_its_content: async (dag) => {
    const digest = await dag.file("a", "content").digest({ excludeMetadata: true });
    assert.match(digest, /^sha256:[0-9a-f]{64}$/);
    const mode = dag.file("a", "content", { permissions: 0o600 });
    assert.equal(await mode.digest({ excludeMetadata: true }), digest);
    assert.notEqual(await mode.digest(), await dag.file("a", "content").digest());
    assert.notEqual(await dag.file("a", "other").digest({ excludeMetadata: true }), digest);
  },
  takes_another_name: async (dag) => {
    const renamed = dag.file("old", "x").withName("new");
    assert.equal(await renamed.name(), "new");
    assert.equal(await renamed.contents(), "x");
    assert.deepEqual(await dag.directory().withFile("", renamed).entries(), ["new"]);
  },
  replaces_text: async (dag) => {
    const some = dag.file("f", "a b a");
    assert.equal(await some.withReplaced("b", "c").contents(), "a c a");
    assert.equal(await some.withReplaced("a", "z", { all: true }).contents(), "z b z");
  },
  takes_a_timestamp_and_an_owner: async (dag, t) => {
    const some = dag.file("f", "").withTimestamps(499162500).chown("1:2");
    const ran = t.base().withMountedFile("/f", some).withExec(["stat", "-c", "%Y %u:%g", "/f"]);
    assert.equal(await ran.stdout(), "499162500 1:2\n");
  },
  is_exported_to_the_host: async (dag, t) => {
    const path = join(t.dir, "out/deep/f");
    const written = await dag.file("f", "to the host", { permissions: 0o755 }).export(path);
    assert.equal(written, path);
    assert.equal(await readFile(path, "utf8"), "to the host");
    assert.equal((await stat(path)).mode & 0o777, 0o755);
  },
  replaces_an_older_export: async (dag, t) => {
    const path = join(t.dir, "f");
    await writeFile(path, "something much longer than the new content");
    await dag.file("f", "new").export(path);
    assert.equal(await readFile(path, "utf8"), "new");
  },
  is_not_exported_over_a_directory_unless_allowed: async (dag, t) => {
    const path = join(t.dir, "d");
    await mkdir(path);
    await t.expectError(() => dag.file("name", "x").export(path), /./);
    await dag.file("name", "x").export(path, { allowParentDirPath: true });
    assert.equal(await readFile(join(path, "name"), "utf8"), "x");
  },
  keeps_bytes_on_export: async (_dag, t) => {
    const path = join(t.dir, "bytes");
    await t.sh("printf '\\000\\377\\200abc' > /bytes").file("/bytes").export(path);
    assert.deepEqual([...(await readFile(path))], [0, 255, 128, 97, 98, 99]);
  },
});
