import { suite } from "uvu";
import * as assert from "uvu/assert";
import { leaves } from "../../../src/core/config/leaves.js";
import { configJsonSchema, configurationTable } from "../../../src/core/config/table.js";

const test = suite("the configuration table");

test("describes_every_key", () => {
  const rows = configurationTable()
    .split("\n")
    .filter((line) => line.startsWith("| `"));
  assert.is(rows.length, leaves.length);
  for (const row of rows) assert.match(row, /\S[^|]{5,} \|$/, `a key without description: ${row}`);
});

test("describes_the_whole_as_a_json_schema", () => {
  const schema = configJsonSchema();
  assert.is(schema.additionalProperties, false);
  assert.is(schema.required, undefined, "every key is optional");
});

test.run();
