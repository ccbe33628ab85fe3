import { suite } from "uvu";
import * as assert from "uvu/assert";

import { isFresh, scanSpan } from "../../../src/core/scan/freshness.js";

const test = suite("how long a scan counts");

const NOW = new Date("2026-11-26T12:00:00Z");
const ago = (hours: number): object => ({
  metadata: { scanFinishedOn: new Date(NOW.getTime() - hours * 3_600_000).toISOString() },
});

test("is_made_anew_when_it_is_half_as_old_as_it_may_be", () => {
  assert.ok(isFresh(ago(83), 168, NOW));
  assert.not.ok(isFresh(ago(85), 168, NOW));
});

test("is_made_anew_when_it_does_not_say_when_it_was", () => {
  for (const predicate of [undefined, null, {}, { metadata: { scanFinishedOn: "soon" } }])
    assert.not.ok(isFresh(predicate, 168, NOW));
});

test("is_kept_within_a_span_and_not_beyond", () => {
  const later = new Date(NOW.getTime() + 84 * 3_600_000);
  assert.is(scanSpan(168, later), scanSpan(168, NOW) + 1);
});

test.run();
