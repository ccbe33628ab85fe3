import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { suite } from "uvu";
import * as assert from "uvu/assert";

import { POLICIES } from "./policies.js";
import { SCHEMAS } from "./schemas.js";
import { BLOCKS, withBlock } from "./tables.js";

const test = suite("docs");

for (const { file, name, make } of BLOCKS) {
  test(`keeps_${name}_of_${file}_as_the_code_has_it`, async () => {
    const path = fileURLToPath(new URL(`../../${file}`, import.meta.url));
    const document = await readFile(path, "utf8");
    assert.ok(
      document === withBlock(document, name, await make()),
      `${file} is not current: make docs`,
    );
  });
}

for (const [file, make] of Object.entries({ ...POLICIES, ...SCHEMAS })) {
  test(`keeps_${file}_as_the_code_has_it`, async () => {
    const path = fileURLToPath(new URL(`../../${file}`, import.meta.url));
    assert.ok((await readFile(path, "utf8")) === make(), `${file} is not current: make docs`);
  });
}

test("keeps_no_schema_that_is_no_more", async () => {
  const folder = fileURLToPath(new URL("../../docs/schemas", import.meta.url));
  const names = (await readdir(folder)).map((name) => `docs/schemas/${name}`);
  assert.equal(names.sort(), Object.keys(SCHEMAS).sort());
});

test("refuses_a_document_without_a_place_for_the_block", () => {
  assert.throws(() => withBlock("# Title\n", "api", "x"), /no place for "api"/);
});

test("replaces_only_what_is_between_the_comments", () => {
  const document = "a\n<!-- api: generated -->\nold\n<!-- /api -->\nb\n";
  const replaced = withBlock(document, "api", "new $& $1");
  assert.ok(replaced.startsWith("a\n<!-- api: generated -->\n"));
  assert.ok(replaced.endsWith("<!-- /api -->\nb\n"));
  assert.match(replaced, "new $& $1");
  assert.not.match(replaced, "old");
  assert.is(withBlock(replaced, "api", "new $& $1"), replaced);
});

test.run();
