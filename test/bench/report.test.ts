import { readFile } from "node:fs/promises";

import { suite } from "uvu";
import * as assert from "uvu/assert";

import { atMost } from "../../ci/bench/measure.js";
import { apart, document, factsOf, partsOf, table } from "../../ci/bench/report.js";

const test = suite("the document of the benchmarks");

const section = (title: string, value: number) => ({
  title,
  how: "once",
  rows: [atMost("work", value, 100)],
});
const FACTS = ["- date: today", "- cores: 2"];
const ORDER = ["first", "second", "third"];
const whole = document(
  FACTS,
  { third: table(section("C", 300)), first: table(section("A", 10)) },
  ORDER,
);

test("has_its_parts_in_their_order_with_goals_met_and_missed", () => {
  assert.ok(whole.indexOf("## A") < whole.indexOf("## C"));
  assert.match(whole, "| work | 10 ms | ≤ 100 ms | met |");
  assert.match(whole, "| work | 300 ms | ≤ 100 ms | **missed** |");
});

test("keeps_the_other_parts_when_one_is_measured_by_itself", () => {
  const measured = apart(section("B", 1), ["- date: tomorrow", "- cores: 4"]);
  const after = document(factsOf(whole), { ...partsOf(whole), second: measured }, ORDER);
  assert.equal(factsOf(after), FACTS);
  for (const name of ["first", "third"]) assert.is(partsOf(after)[name], partsOf(whole)[name]);
  assert.match(partsOf(after).second ?? "", "Measured by itself: date: tomorrow; cores: 4.");
  assert.ok(after.indexOf("## A") < after.indexOf("## B"));
  assert.ok(after.indexOf("## B") < after.indexOf("## C"));
});

test("drops_a_part_that_is_measured_no_more", () => {
  assert.not.match(document(FACTS, partsOf(whole), ["first"]), "## C");
});

test("is_read_as_it_was_written", async () => {
  const file = new URL("../../docs/benchmarks.md", import.meta.url);
  const text = await readFile(file, "utf8");
  assert.ok(Object.keys(partsOf(text)).length >= 7);
  assert.is(document(factsOf(text), partsOf(text), Object.keys(partsOf(text))), text);
});

test.run();
