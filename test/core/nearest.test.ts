import { suite } from "uvu";
import * as assert from "uvu/assert";
import { distance, nearest } from "../../src/core/nearest.js";
import { generator } from "./random.js";

const test = suite("nearest");

test("counts_insertions_deletions_replacements_and_swaps", () => {
  assert.equal(
    [
      distance("workers", "worker"),
      distance("test", "tset"),
      distance("lint", "hint"),
      distance("", "abc"),
      distance("a", "a"),
    ],
    [1, 1, 1, 3, 0],
  );
});

test("is_symmetric_and_bounded_for_random_words", () => {
  const random = generator(2);
  for (let round = 0; round < 500; round++) {
    const [a, b] = [random.text(8), random.text(8)];
    assert.is(distance(a, b), distance(b, a));
    assert.ok(distance(a, b) <= Math.max(a.length, b.length));
    assert.is(distance(a, a), 0);
  }
});

test("finds_the_closest_name_and_none_when_nothing_is_close", () => {
  assert.is(nearest("wrokers", ["worker", "workers", "markers"]), "workers");
  assert.is(nearest("Timeout", ["timeout"]), "timeout");
  assert.is(nearest("xyz", ["ab", "cd"]), undefined);
  assert.is(nearest("completely-different", ["workers"]), undefined);
});

test.run();
