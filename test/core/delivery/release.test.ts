import { gzipSync } from "node:zlib";

import { suite } from "uvu";
import * as assert from "uvu/assert";

import {
  liveRelease,
  nextNumber,
  openRelease,
  readReleases,
  releaseSecret,
  releasesToForget,
} from "../../../src/core/delivery/release.js";
import { generator } from "../random.js";
import { raises } from "../raises.js";
import { objectOf, releaseOf } from "./releases.js";

const test = suite("release records");

const listed = (...secrets: unknown[]): string => JSON.stringify({ kind: "List", items: secrets });

test("keeps_a_release_in_a_secret_and_reads_it_back_whole", () => {
  const releases = [releaseOf(2, { why: "ünïcode" }), releaseOf(1)];
  const secrets = releases.map(releaseSecret);
  assert.is(secrets[0]?.metadata.name, "slipway.iris.v2");
  assert.equal(secrets[0]?.metadata.labels, {
    "app.kubernetes.io/managed-by": "slipway",
    owner: "slipway",
    name: "iris",
    status: "superseded",
    version: "2",
  });
  assert.equal(readReleases(listed(...secrets)), releases.toReversed());
  assert.equal(readReleases(""), []);
});

test("refuses_a_release_that_no_secret_can_hold", () => {
  const random = generator(1);
  const noise = Array.from({ length: 1_700_000 }, () => random.int(36).toString(36)).join("");
  const huge = releaseOf(3, { objects: [objectOf("ConfigMap", "huge", { data: { noise } })] });
  assert.match(
    raises("DELIVERY", () => releaseSecret(huge)),
    /Release 3 of iris takes \d+ bytes.*deploy\.manifests/,
  );
});

for (const [name, data] of [
  ["that_is_not_what_was_written", "bm90IGd6aXA="],
  ["that_is_cut_off", encoded('{"schema":1').slice(0, 20)],
  ["that_holds_nothing", undefined],
] as const)
  test(`refuses_to_go_on_over_a_secret_${name}`, () => {
    const secret = { metadata: { name: "slipway.iris.v7" }, data: { release: data } };
    assert.match(
      raises("DELIVERY", () => readReleases(listed(secret))),
      /The Secret slipway\.iris\.v7.*cannot be read/,
    );
  });

test("refuses_what_a_later_slipway_wrote", () => {
  const secret = {
    metadata: { name: "slipway.iris.v7" },
    data: { release: encoded('{"schema":2,"number":7}') },
  };
  assert.match(
    raises("DELIVERY", () => readReleases(listed(secret))),
    /schema 2, of a later Slipway/,
  );
});

function encoded(text: string): string {
  return gzipSync(text).toString("base64");
}

test("knows_what_is_live_open_and_next", () => {
  const records = [
    releaseOf(1),
    releaseOf(4, { status: "live" }),
    releaseOf(5, { status: "failed" }),
    releaseOf(6, { status: "waiting" }),
  ];
  assert.is(liveRelease(records)?.number, 4);
  assert.is(openRelease(records)?.number, 6);
  assert.is(nextNumber(records), 7);
  assert.is(nextNumber([]), 1);
});

test("forgets_the_oldest_but_never_what_is_needed_to_go_back", () => {
  const records = [
    releaseOf(1),
    releaseOf(2),
    releaseOf(3, { status: "live" }),
    ...[4, 5, 6, 7, 8].map((number) => releaseOf(number, { status: "failed" })),
    releaseOf(9, { status: "pending" }),
  ];
  assert.equal(releasesToForget(records, 20), []);
  assert.equal(releasesToForget(records, 7), [1, 4]);
  assert.equal(releasesToForget(records, 2), [1, 4, 5, 6, 7, 8], "2, 3 and 9 are needed");
});

test("keeps_a_bounded_history_over_a_hundred_releases", () => {
  let records = [releaseOf(1, { status: "live" })];
  for (let number = 2; number <= 100; number++) {
    records = [
      ...records.map((each) => ({ ...each, status: "superseded" as const })),
      releaseOf(number, { status: "live" }),
    ];
    const gone = releasesToForget(records, 20);
    records = records.filter((each) => !gone.includes(each.number));
    assert.ok(records.length <= 20);
  }
  assert.equal([records[0]?.number, records.at(-1)?.number], [81, 100]);
});

test.run();
