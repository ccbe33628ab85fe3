import { suite } from "uvu";
import * as assert from "uvu/assert";

import type { Analysis } from "../../../src/core/analysis/types.js";
import { troubleText } from "../../../src/core/delivery/failure.js";
import {
  endedText,
  historyText,
  isHealthy,
  statusText,
} from "../../../src/core/delivery/report.js";
import type { Observation, Pod } from "../../../src/core/delivery/types.js";
import { releaseOf, STARTED } from "./releases.js";

const test = suite("delivery report");

const analysis = (outcome: Analysis["outcome"], why: string): Analysis => ({
  ...{ outcome, why, measures: [], notices: [], startedAt: STARTED, finishedAt: STARTED },
  requests: { canary: 1, stable: 1, failed: 0 },
});

const POD: Pod = {
  ...{ name: "iris-canary-x", track: "canary", release: 7, phase: "Running", ready: false },
  ...{ restarts: 3, container: "service", says: "CrashLoopBackOff", ended: true },
};

const SEEN: Observation = {
  stable: {
    ...{ release: 6, image: "i", generation: 1, replicas: 2, available: 2, complete: true },
  },
  ...{ weight: 0, exposed: false, named: true, routed: true, leftovers: false, pods: [POD] },
};

test("says_what_failed_why_where_and_what_to_do", () => {
  const text = endedText({
    outcome: "failed",
    release: releaseOf(7, {
      ...{ status: "failed", why: "the analysis at 50 % failed: 5 of 100 requests" },
      steps: [
        { weight: 33, percent: 33.33, startedAt: STARTED, analysis: analysis("passed", "well") },
      ],
      finishedAt: "2026-11-24T12:01:05.000Z",
      calls: 31,
    }),
    details: "pods:\n  one",
    stuck: "no pod is ready",
  });
  for (const line of [
    /^release 7 of iris failed and was taken back$/m,
    /^ {2}why +the analysis at 50 % failed: 5 of 100 requests$/m,
    /^ {2}steps +33 % \(really 33\.33 %, by whole pods\): passed: well$/m,
    /^ {2}STUCK +no pod is ready$/m,
    /took 1 min 5 s; 31 starts of kubectl$/m,
    /^pods:\n {2}one$/m,
    /^next: .*slipway history/m,
  ])
    assert.match(text, line);
});

test("says_that_a_release_still_serves_that_failed_and_could_not_be_rolled_back", () => {
  const text = endedText({ outcome: "failed", release: releaseOf(7, { status: "live" }) });
  assert.match(text, /^release 7 of iris failed and still serves$/m);
});

test("says_what_comes_next_of_a_canary_that_waits", () => {
  const text = endedText({ outcome: "paused", release: releaseOf(7, { status: "waiting" }) });
  assert.match(text, /^release 7 of iris is waiting as a canary$/m);
  assert.match(text, /slipway promote.*slipway abort/);
});

test("shows_events_of_the_pods_that_are_ill_and_the_last_words_alone", () => {
  const event = (kind: string, name: string, message: string, lastTimestamp: string) => ({
    ...{ reason: "R", message, lastTimestamp, count: 4, involvedObject: { kind, name } },
  });
  const text = troubleText("iris", [POD, { ...POD, name: "iris-well", ready: true }], {
    events: [
      event("Pod", "iris-canary-x", "second", "2026-11-24T12:00:02Z"),
      event("ReplicaSet", "iris-canary-5d", "first", "2026-11-24T12:00:01Z"),
      event("Pod", "iris-well", "passed long ago", STARTED),
      event("Pod", "other-x", "of another service", STARTED),
    ],
    logs: [{ pod: "iris-canary-x", container: "service", text: "a\nthe model is damaged\n" }],
  });
  assert.match(text, /first\n.*second\n/);
  assert.match(text, /Pod iris-canary-x: R \(4 times\): second/);
  assert.match(
    text,
    /last lines of iris-canary-x \(container service\):\n {2}a\n {2}the model is damaged/,
  );
  assert.not.match(text, /long ago|another service/);
});

test("says_when_there_is_no_pod_at_all", () => {
  assert.match(troubleText("iris", [], { events: [], logs: [] }), /there are none/);
});

test("lists_releases_the_newest_first", () => {
  const text = historyText([
    releaseOf(1),
    releaseOf(2, { status: "failed", why: "x".repeat(200) }),
    releaseOf(3, { status: "live", kind: "rollback", of: 1 }),
  ]);
  const rows = text.trimEnd().split("\n");
  assert.match(rows[1] ?? "", /^3 +live +2026-11-24 12:00 +1\.0\.3 .*back to 1$/);
  assert.match(rows[3] ?? "", /^1 +superseded/);
  assert.ok(rows.every((row) => row.length < 200));
  assert.is(historyText([]), "there is no release yet\n");
});

test("knows_whether_all_is_in_order", () => {
  const live = releaseOf(6, { status: "live" });
  assert.ok(isHealthy(live, undefined, SEEN));
  assert.not(isHealthy(undefined, undefined, SEEN));
  assert.not(isHealthy(live, undefined, { ...SEEN, leftovers: true }));
  assert.not(isHealthy(live, releaseOf(7, { status: "pending" }), SEEN));
  assert.ok(isHealthy(live, releaseOf(7, { status: "waiting" }), { ...SEEN, leftovers: true }));
  const { stable, ...rest } = SEEN;
  assert.ok(stable);
  assert.not(isHealthy(live, undefined, { ...rest, stable: { ...stable, complete: false } }));
  assert.not(isHealthy(live, undefined, { ...rest, stable: { ...stable, release: 5 } }));
});

test("tells_what_is_there", () => {
  const live = releaseOf(6, { status: "live" });
  const open = releaseOf(7, { status: "waiting" });
  const text = statusText("iris", { live, open }, { ...SEEN, weight: 50 }, "somebody (1)");
  assert.match(text, /release 6 of iris is live/);
  assert.match(text, /release 7 is waiting as a canary/);
  assert.match(text, /requests: 50 % to the canary/);
  assert.match(text, /iris-canary-x \(canary, release 7\): Running, not ready, 3 restarts; Crash/);
  assert.match(text, /a run is at it: somebody \(1\)/);
});

test.run();
