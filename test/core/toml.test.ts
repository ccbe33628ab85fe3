import { readFile } from "node:fs/promises";

import { suite } from "uvu";
import * as assert from "uvu/assert";

import { readToml, readTomlValues } from "../../src/core/toml.js";
import { raises } from "./raises.js";

const test = suite("TOML");

const REAL = ["examples/iris/pyproject.toml", "examples/iris/poetry.lock"];

test("has_the_same_values_with_their_places_and_without", async () => {
  const texts = await Promise.all(
    REAL.map((path) => readFile(new URL(`../../${path}`, import.meta.url), "utf8")),
  );
  const own = `a."b c" = 0x1F
d = [1.5, -inf, { e = true }]
f = 2027-01-31
[[g]]
h = """
two
lines"""
[[g]]`;
  for (const text of [...texts, own, ""])
    assert.equal(readTomlValues(text, "x.toml"), readToml(text, "x.toml").value);
});

test("rejects_what_is_no_toml_with_its_place_either_way", () => {
  for (const text of ["a = \n", "[a]\n[a]\n", "a = 1\na = 2\n"]) {
    const told = raises("CONFIG", () => readTomlValues(text, "x.toml"));
    assert.match(told, /^x\.toml is not valid TOML.*\n {2}x\.toml:\d+:\d+: /s);
    assert.is(
      told,
      raises("CONFIG", () => readToml(text, "x.toml")),
    );
  }
});

test("takes_a_number_that_is_too_large_to_be_exact", () => {
  const { a } = readTomlValues("a = 9223372036854775807", "x.toml");
  assert.is(a, 2 ** 63);
});

test.run();
