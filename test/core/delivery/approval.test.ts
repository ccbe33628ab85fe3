import { suite } from "uvu";
import * as assert from "uvu/assert";

import { promotable } from "../../../src/core/delivery/approval.js";
import type { Observation, ReleaseRecord } from "../../../src/core/delivery/types.js";
import { raises } from "../raises.js";
import { imageOf, releaseOf } from "./releases.js";

const test = suite("approval");

const NOW = new Date("2026-11-24T13:00:00Z");
const WAITING = releaseOf(7, {
  ...{ status: "waiting", waitingAt: "2026-11-24T12:00:00Z", generation: 3 },
});
const RECORDS = [releaseOf(6, { status: "live" }), WAITING];

const seen = (canary: Partial<NonNullable<Observation["canary"]>> = {}): Observation => ({
  canary: {
    ...{ release: 7, image: WAITING.reference, generation: 3, replicas: 1, available: 1 },
    ...{ complete: true, ...canary },
  },
  ...{ weight: 50, exposed: false, named: true, routed: true, leftovers: true, pods: [] },
});

function refusal(
  change: {
    records?: readonly ReleaseRecord[];
    seen?: Observation;
    digest?: string;
    now?: string;
  } = {},
): string {
  const now = change.now === undefined ? NOW : new Date(change.now);
  return raises("USAGE", () =>
    promotable(change.records ?? RECORDS, change.seen ?? seen(), change.digest, now),
  );
}

test("says_yes_to_what_was_judged_and_is_still_the_same", () => {
  assert.is(promotable(RECORDS, seen(), undefined, NOW), WAITING);
  assert.is(promotable(RECORDS, seen(), WAITING.reference, NOW), WAITING);
  const [, digest] = WAITING.reference.split("@");
  assert.is(promotable(RECORDS, seen(), digest, NOW), WAITING);
});

test("refuses_when_nothing_waits", () => {
  assert.match(refusal({ records: [releaseOf(6, { status: "live" })] }), /no canary waits/);
  const running = [releaseOf(7, { status: "pending" })];
  assert.match(refusal({ records: running }), /no canary waits/);
});

test("refuses_another_image_than_the_one_somebody_said_yes_to", () => {
  assert.match(refusal({ digest: imageOf("f") }), /waits with sha256:777.*, not with sha256:fff/);
});

test("refuses_what_waited_too_long", () => {
  const message = refusal({ now: "2026-11-25T12:00:01Z" });
  assert.match(
    message,
    /waits since 2026-11-24T12:00:00Z, longer than 24 hours \(deploy\.maxAge\)/,
  );
  assert.match(refusal({ now: "not a date" }), /longer than/, "an unknown age is too old");
});

test("refuses_a_canary_that_was_changed_or_is_gone", () => {
  assert.match(refusal({ seen: seen({ generation: 4 }) }), /somebody changed the canary/);
  assert.match(refusal({ seen: seen({ image: imageOf("f") }) }), /runs .*, not the verified/);
  assert.match(refusal({ seen: seen({ release: 5 }) }), /is not there any more/);
  assert.match(refusal({ seen: { ...seen(), canary: undefined } }), /is not there any more/);
});

test.run();
