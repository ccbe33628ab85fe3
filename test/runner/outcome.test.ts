import { test } from "uvu";
import * as assert from "uvu/assert";

import { readOutcome, type Ending } from "./outcome.js";

const WELL: Ending = { code: 0, signal: null, timedOut: false };
const BADLY: Ending = { ...WELL, code: 1 };

function uvu(total: number, passed: number, skipped = 0): string {
  return `suite  • •\n\n  Total:     ${total}\n  Passed:    ${passed}\n  Skipped:   ${skipped}\n  Duration:  1ms\n\n`;
}

test("counts_what_uvu_counts", () => {
  assert.equal(readOutcome(uvu(3, 3), WELL), { passed: 3, failed: 0 });
  assert.equal(readOutcome(uvu(3, 1), BADLY), { passed: 1, failed: 2 });
});

test("reads_colours_as_text", () => {
  const coloured = uvu(2, 2).replace("2\n", "\u001b[32m2\u001b[39m\n");
  assert.equal(readOutcome(coloured, WELL), { passed: 2, failed: 0 });
});

test("counts_what_a_last_line_counts", () => {
  assert.equal(readOutcome("ok  a 3 ms\n12 passed, 0 failed\n", WELL), { passed: 12, failed: 0 });
  assert.equal(readOutcome("12 passed, 1 failed\n", BADLY), { passed: 12, failed: 1 });
});

test("fails_a_file_that_ends_before_its_totals", () => {
  const { failed, problem } = readOutcome("Error: cannot find module\n", BADLY);
  assert.is(failed, 1);
  assert.match(problem ?? "", /did not get to its end \(exit code 1\)/);
  assert.is(readOutcome("12 passed, 0 failed\nand then\n", WELL).failed, 1);
});

test("fails_a_file_without_tests", () => {
  assert.is(readOutcome(uvu(0, 0), WELL).problem, "it has no tests");
  assert.is(readOutcome("0 passed, 0 failed\n", WELL).failed, 1);
});

test("fails_a_file_that_skips", () => {
  assert.equal(readOutcome(uvu(2, 2, 1), WELL), { passed: 2, failed: 1, problem: "1 skipped" });
  assert.is(readOutcome("2 passed, 0 failed, 3 skipped\n", WELL).problem, "3 skipped");
});

test("fails_a_file_whose_exit_code_contradicts_its_totals", () => {
  assert.is(readOutcome(uvu(2, 2), BADLY).failed, 1);
  assert.is(readOutcome(uvu(2, 1), WELL).failed, 2);
});

test("fails_a_file_that_was_ended", () => {
  const killed = readOutcome(uvu(2, 2), { code: null, signal: "SIGKILL", timedOut: true });
  assert.is(killed.problem, "took too long and was ended");
  assert.is(readOutcome("", { ...WELL, code: null, signal: "SIGSEGV" }).failed, 1);
});

test.run();
