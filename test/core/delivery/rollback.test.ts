import { suite } from "uvu";
import * as assert from "uvu/assert";

import { digestOf, refuseOvertaken, rollbackTarget } from "../../../src/core/delivery/rollback.js";
import type { ReleaseRecord } from "../../../src/core/delivery/types.js";
import { raises } from "../raises.js";
import { imageOf, releaseOf } from "./releases.js";

const test = suite("rollback target");

const RECORDS = [
  releaseOf(1),
  releaseOf(2, { status: "rolled-back" }),
  releaseOf(3),
  releaseOf(4, { status: "failed", why: "the canary crashed" }),
  releaseOf(5, { status: "live" }),
];

const target = (wanted?: string, records: readonly ReleaseRecord[] = RECORDS): number =>
  rollbackTarget(records, wanted).number;

const refusal = (wanted?: string, records: readonly ReleaseRecord[] = RECORDS): string =>
  raises("USAGE", () => rollbackTarget(records, wanted));

test("finds_the_last_one_that_served_and_was_not_taken_back", () => {
  assert.is(target(), 3);
});

test("takes_a_number_a_tag_a_digest_or_a_reference", () => {
  assert.is(target("1"), 1);
  assert.is(target("v1"), 1);
  assert.is(target("1.0.3"), 3);
  assert.is(target(digestOf(releaseOf(1))), 1);
  assert.is(target(releaseOf(1).reference), 1);
  assert.is(target("2"), 2, "what was taken back may be asked for by name");
});

test("goes_further_back_each_time", () => {
  const after = [
    ...RECORDS.slice(0, 4),
    releaseOf(5, { status: "rolled-back" }),
    releaseOf(6, { status: "live", kind: "rollback", of: 3, reference: imageOf("3") }),
  ];
  assert.is(target(undefined, after), 1);
});

test("refuses_to_go_where_it_is_already", () => {
  assert.match(refusal("5"), /release 5 .* is what is live/);
  const twice = [
    ...RECORDS,
    releaseOf(6, {
      ...{ status: "superseded", reference: imageOf("5"), objects: releaseOf(5).objects },
    }),
  ];
  assert.match(refusal("6", twice), /release 6 .* is what is live as release 5/);
});

test("takes_a_number_for_a_release_even_where_a_tag_reads_the_same", () => {
  const tagged = [releaseOf(1), releaseOf(2, { tag: "1" }), releaseOf(3, { status: "live" })];
  assert.is(target("1", tagged), 1);
});

test("goes_forward_again_over_a_rollback_to_a_release_that_cannot_be_taken_back", () => {
  const config = { ...releaseOf(2).config, irreversible: "it moved the table" };
  const records = [
    releaseOf(1),
    releaseOf(2, { config }),
    releaseOf(3, { status: "rolled-back", reference: imageOf("3") }),
    releaseOf(4, {
      ...{ status: "live", kind: "rollback", of: 2, config },
      reference: imageOf("2"),
    }),
  ];
  assert.is(target("3", records), 3);
  assert.match(refusal("1", records), /release 2 says that it cannot be taken back/);
});

test("refuses_a_release_that_never_served_and_says_why_it_did_not", () => {
  assert.match(refusal("4"), /release 4 never served \(failed: the canary crashed\)/);
});

test("refuses_what_nobody_released_with_the_nearest_name_and_what_there_is", () => {
  const message = refusal("1.0.30");
  assert.match(message, /no release is "1\.0\.30"; did you mean "1\.0\.3"\?/);
  assert.match(message, /1 \(1\.0\.1, superseded\).*5 \(1\.0\.5, live\)/);
});

test("refuses_when_nothing_served_before", () => {
  assert.match(refusal(undefined, [releaseOf(1, { status: "live" })]), /no release that served/);
  assert.match(refusal(undefined, []), /No release is recorded that served/);
});

test("stops_at_a_release_that_says_it_cannot_be_taken_back", () => {
  const { config } = releaseOf(1);
  const records = [
    releaseOf(1),
    releaseOf(2, { config: { ...config, irreversible: "the table is dropped" } }),
    releaseOf(3, { status: "live" }),
  ];
  assert.match(refusal("1", records), /release 2 says that it cannot be taken back: the table/);
  assert.is(target("2", records), 2, "to go back to it is no way over it");
});

test("goes_back_from_what_was_watched_and_from_nothing_that_came_meanwhile", () => {
  for (const failed of [true, false]) refuseOvertaken(RECORDS, 5, failed);
  const overtaken = (failed: boolean, ...more: ReturnType<typeof releaseOf>[]): string =>
    raises("USAGE", () => {
      refuseOvertaken([...RECORDS.slice(0, 4), ...more], 5, failed);
    });
  const next = [releaseOf(5), releaseOf(6, { status: "live" })];
  assert.match(
    overtaken(true, ...next),
    "Nothing was rolled back: release 5 failed while it was watched, but release 6 is live by now",
  );
  assert.match(
    overtaken(false, ...next),
    "Release 5 is not watched any more: release 6 is live by now. Watch that one",
  );
  const live = releaseOf(5, { status: "live" });
  assert.match(
    overtaken(true, live, releaseOf(6, { status: "waiting", why: "it waits for a yes" })),
    "release 6 is on its way (waiting: it waits for a yes)",
  );
  for (const failed of [true, false])
    assert.match(
      overtaken(failed, live, releaseOf(6, { status: "pending" })),
      "is on its way (pending)",
    );
});

test.run();
