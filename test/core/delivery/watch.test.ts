import { suite } from "uvu";
import * as assert from "uvu/assert";

import { afterLook } from "../../../src/core/delivery/watch.js";

const test = suite("watch");

test("looks_again_until_the_time_is_up_and_later_after_an_error", () => {
  assert.equal(afterLook(["passed"], false), { do: "look", seconds: 0 });
  assert.equal(afterLook(["inconclusive"], false), { do: "look", seconds: 0 });
  assert.equal(afterLook(["passed", "errored"], false), { do: "look", seconds: 10 });
  assert.equal(afterLook(["errored", "passed"], true), { do: "end" });
  assert.equal(afterLook(["inconclusive"], true), { do: "end" });
});

test("rolls_back_what_fails_whenever_that_is_seen", () => {
  for (const isOver of [false, true])
    assert.equal(afterLook(["passed", "failed"], isOver), { do: "roll back" });
});

test("ends_with_no_success_when_the_last_look_was_an_error", () => {
  assert.equal(afterLook(["errored"], true), { do: "give up" });
  assert.equal(afterLook(["passed", "errored"], true), { do: "give up" });
  assert.equal(afterLook(Array<"errored">(4).fill("errored"), false), { do: "give up" });
  assert.equal(afterLook(Array<"errored">(3).fill("errored"), false), { do: "look", seconds: 10 });
});

test.run();
