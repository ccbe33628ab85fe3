import { suite } from "uvu";
import * as assert from "uvu/assert";
import { leaves } from "../../../src/core/config/leaves.js";
import { configJsonSchema, configurationTable } from "../../../src/core/config/table.js";
import { committed } from "../committed.js";

const test = suite("the configuration table");
const START = "<!-- generated from the schema; UPDATE_DOCS=1 with the tests writes it anew -->\n";
const END = "<!-- end of the generated part -->";

test("is_what_the_documentation_shows", () => {
  committed(new URL("../../../docs/configuration.md", import.meta.url), (current) => {
    const [before = "", rest = ""] = current.split(START);
    const after = rest.slice(rest.indexOf(END));
    return `${before}${START}\n${configurationTable()}\n${after}`;
  });
});

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
