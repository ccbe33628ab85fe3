import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { suite } from "uvu";
import * as assert from "uvu/assert";

import { BROKEN, edited, FIRST, GOOD } from "../../../src/core/demo/versions.js";
import { IRIS } from "../../e2e/support/project.js";

const test = suite("versions of the demo");

test("fit_the_example_as_it_is", async () => {
  for (const { version, edits } of [FIRST, GOOD, BROKEN]) {
    for (const edit of edits) {
      const text = await readFile(join(IRIS, edit[0]), "utf8");
      assert.is.not(edited(text, edit), text, `${version}: ${edit[0]}`);
    }
  }
});

test("refuses_an_example_that_does_not_hold_the_text", () => {
  assert.throws(
    () => edited("print()", ["app.py", "model", "other"]),
    /app\.py of this one does not hold "model"\. Leave --example out/,
  );
});

test("takes_what_is_put_in_literally", () => {
  assert.is(edited("a b", ["x", "b", "$& $1"]), "a $& $1");
});

test.run();
