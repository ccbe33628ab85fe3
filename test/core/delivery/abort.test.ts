import { suite } from "uvu";
import * as assert from "uvu/assert";
import { leftAlone, waitingCanary } from "../../../src/core/delivery/abort.js";
import type { ReleaseRecord } from "../../../src/core/delivery/types.js";
import { releaseOf } from "./releases.js";

const test = suite("what abort leaves alone");

const DIGEST = `sha256:${"0a".repeat(32)}`;
const OTHER = `sha256:${"0b".repeat(32)}`;

function open(status: "pending" | "waiting" | "failed"): ReleaseRecord[] {
  return [releaseOf(3, { status, reference: `registry.example/orders@${DIGEST}`, run: "77" })];
}

test("nothing_unless_it_is_told", () => {
  assert.is(leftAlone(open("waiting"), "", {}), undefined);
  assert.is(leftAlone([], "bob (12)", {}), undefined);
});

test("what_another_run_is_at", () => {
  assert.is(leftAlone(open("pending"), "", { run: "77" }), undefined);
  assert.is(leftAlone([], "bob (77)", { run: "77" }), undefined);
  assert.match(leftAlone(open("pending"), "bob (12)", { run: "78" }) ?? "", "run 78 has nothing");
  assert.match(leftAlone(open("waiting"), "", { run: "77" }) ?? "", "run 77 has nothing");
});

test("another_image_and_one_that_is_finished", () => {
  assert.is(leftAlone(open("pending"), "", { digest: DIGEST }), undefined);
  assert.is(leftAlone(open("waiting"), "", { digest: `r.example/orders@${DIGEST}` }), undefined);
  for (const [records, digest] of [
    [open("waiting"), OTHER],
    [open("failed"), DIGEST],
    [[], DIGEST],
  ] as const)
    assert.match(leftAlone(records, "", { digest }) ?? "", `nothing of ${digest}`);
});

test("a_canary_that_waits_for_somebody_when_it_is_to_be_kept", () => {
  const keep = { digest: DIGEST, keepWaiting: true };
  assert.match(leftAlone(open("waiting"), "", keep) ?? "", "canary of release 3 waits");
  assert.is(leftAlone(open("pending"), "", keep), undefined);
});

test("a_canary_that_waited_before_the_run_that_is_ended_by_its_id", () => {
  assert.is(waitingCanary({ run: "77" }), "leave");
  assert.is(waitingCanary({}), "take back");
  assert.is(waitingCanary({ digest: DIGEST }), "take back");
});

test.run();
