import { suite } from "uvu";
import * as assert from "uvu/assert";
import { leaves } from "../../../src/core/config/leaves.js";
import { configJsonSchema, configurationTable } from "../../../src/core/config/table.js";

const test = suite("the configuration table");

test("describes_every_key", () => {
  const [own = "", ...lists] = configurationTable().split(/^(?=####? )/m);
  const all = [own, ...lists];
  const rowsOf = (parts: readonly string[]): string[] =>
    parts.flatMap((part) => part.split("\n").filter((line) => line.startsWith("| `")));
  assert.is(rowsOf(all.filter((part) => !part.startsWith("####"))).length, leaves.length);
  const rows = rowsOf(all);
  for (const row of rows) assert.match(row, /\S[^|]{5,} \|$/, `a key without description: ${row}`);
});

test("describes_the_keys_of_tables_in_lists", () => {
  const text = configurationTable();
  for (const list of [
    ...["audit.ignore", "scan.ignore", "deploy.steps", "deploy.smoke.requests", "model.gates"],
    "analysis.queries",
  ])
    assert.match(text, `#### \`[[tool.slipway.${list}]]\`\n`);
  assert.match(text, /^\| `weight` \| number \| required \| Share of the requests/m);
  assert.match(text, /^\| `pause` \| integer \| `0` \| Seconds to wait/m);
});

test("describes_the_whole_as_a_json_schema", () => {
  const schema = configJsonSchema();
  assert.is(schema.additionalProperties, false);
  assert.is(schema.required, undefined, "every key is optional");
});

test.run();
