import { suite } from "uvu";
import * as assert from "uvu/assert";

import {
  claim,
  microTime,
  newLease,
  readLease,
  renewPatch,
  takePatch,
  type Lease,
} from "../../../src/core/delivery/lease.js";

const test = suite("lease");

const lease = (more: Partial<Lease> = {}): Lease => ({
  resourceVersion: "7",
  holder: "other (1)",
  transitions: 2,
  ...more,
});

const watched = (more: Partial<Lease>, seconds: number) => ({ lease: lease(more), seconds });

test("takes_what_nobody_has", () => {
  assert.is(claim(undefined, "me (2)", undefined, false), "create");
  assert.is(claim(lease({ holder: "" }), "me (2)", undefined, false), "take");
  assert.is(claim(lease({ holder: "me (2)" }), "me (2)", undefined, false), "hold");
});

test("takes_over_only_what_did_not_change_for_thirty_seconds_by_its_own_watch", () => {
  assert.is(claim(lease(), "me (2)", undefined, false), "wait");
  assert.is(claim(lease(), "me (2)", watched({}, 29), false), "wait");
  assert.is(claim(lease(), "me (2)", watched({}, 30), false), "take");
  assert.is(claim(lease(), "me (2)", watched({ resourceVersion: "6" }, 30), false), "refuse");
});

test("asks_no_clock_but_its_own", () => {
  // What renewTime says, of a machine whose clock is wrong, is not even read.
  const spec = { holderIdentity: "other (1)", renewTime: "1999-01-01T00:00:00.000000Z" };
  const text = JSON.stringify({ metadata: { resourceVersion: "7" }, spec });
  const read = readLease(text);
  assert.ok(read);
  assert.is(claim(read, "me (2)", undefined, false), "wait");
});

test("aborts_whoever_has_it", () => {
  assert.is(claim(lease(), "me (2)", undefined, true), "take");
});

test("renews_and_takes_only_what_is_still_as_it_was_seen", () => {
  const now = microTime(new Date("2026-11-24T12:00:00.123Z"));
  assert.is(now, "2026-11-24T12:00:00.123000Z");
  assert.equal(renewPatch("me", now), [
    { op: "test", path: "/spec/holderIdentity", value: "me" },
    { op: "replace", path: "/spec/renewTime", value: now },
  ]);
  const [first, second] = takePatch(lease(), "me", now) as [object, { value: object }];
  assert.equal(first, { op: "test", path: "/metadata/resourceVersion", value: "7" });
  assert.equal(second.value, {
    holderIdentity: "me",
    leaseDurationSeconds: 30,
    acquireTime: now,
    renewTime: now,
    leaseTransitions: 3,
  });
});

test("reads_what_the_cluster_answers", () => {
  assert.is(readLease(""), undefined);
  const made = newLease("iris", "default", "me", "now") as { metadata: object; spec: object };
  const text = JSON.stringify({ ...made, metadata: { ...made.metadata, resourceVersion: "3" } });
  assert.equal(readLease(text), { resourceVersion: "3", holder: "me", transitions: 0 });
});

test.run();
