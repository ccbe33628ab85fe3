import { suite } from "uvu";
import * as assert from "uvu/assert";
import { nextMeasurement } from "../../../src/core/analysis/retry.js";
import { combined } from "../../../src/core/analysis/judgement.js";
import { readObservation, readSent, type Sent } from "../../../src/core/analysis/observation.js";
import type { Analysis, Outcome, Track } from "../../../src/core/analysis/types.js";
import { generator, type Generator } from "../random.js";
import { configured, judged, outcomeOf, requests, well } from "./support.js";

const test = suite("analysis, for any input");

const OUTCOMES: readonly Outcome[] = ["failed", "errored", "inconclusive", "passed"];
const uniform = (random: Generator): number => (random.int(1_000_000) + 0.5) / 1_000_000;

/** Times with a long tail, as services have them. */
const time = (random: Generator, scale = 1): number =>
  scale *
  12 *
  Math.exp(
    0.6 * Math.sqrt(-2 * Math.log(uniform(random))) * Math.cos(2 * Math.PI * uniform(random)),
  );

function traffic(random: Generator, track: Track, count: number, rate: number, scale = 1): Sent[] {
  return requests(track, count).map((one) =>
    uniform(random) < rate
      ? { ...one, status: random.pick([500, 503, 0]), ok: false, ms: time(random, scale) }
      : { ...one, ms: time(random, scale) },
  );
}

test("never_turns_failed_into_passed_when_more_of_the_canary_fails", () => {
  for (let seed = 1; seed <= 80; seed++) {
    const random = generator(seed);
    const rates = [0, 0.005, 0.01, 0.03, 0.1];
    const canary = traffic(
      random,
      "canary",
      100 + random.int(400),
      random.pick(rates),
      1 + random.int(3) / 4,
    );
    const stable = traffic(random, "stable", 100 + random.int(400), random.pick(rates));
    const config = configured(`latency.p95=${20 + random.int(40)}`);
    let before = judged({ sent: [...canary, ...stable], config });
    let sent = canary;
    for (let round = 0; round < 4; round++) {
      const status = random.pick([500, 0]);
      sent = sent.map((one) => (random.int(30) === 0 ? { ...one, ok: false, status } : one));
      const after = judged({ sent: [...sent, ...stable], config });
      if (before.outcome === "failed") assert.is(after.outcome, "failed", `seed ${seed}`);
      assert.ok(gravity(after, "success") >= gravity(before, "success"), `seed ${seed}`);
      assert.ok(
        gravity(after, "success against stable") >= gravity(before, "success against stable"),
        `seed ${seed}`,
      );
      before = after;
    }
  }
});

function gravity(analysis: Analysis, metric: string): number {
  return -OUTCOMES.indexOf(outcomeOf(analysis, metric) as Outcome);
}

test("never_gets_milder_when_the_canary_gets_slower", () => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = generator(seed);
    const stable = traffic(random, "stable", 400, 0);
    let canary = traffic(random, "canary", 400, 0, 1 + random.int(4) / 8);
    let before = judged({ sent: [...canary, ...stable] });
    for (let round = 0; round < 4; round++) {
      canary = canary.map((one) => ({ ...one, ms: one.ms + random.int(8) }));
      const after = judged({ sent: [...canary, ...stable] });
      for (const metric of [
        "latency against stable",
        "latency p95 against stable",
        "latency p99 against stable",
      ])
        if (outcomeOf(before, metric) === "failed")
          assert.is(outcomeOf(after, metric), "failed", `seed ${seed} ${metric}`);
      before = after;
    }
  }
});

test("finds_at_most_one_of_two_versions_worse_than_the_other", () => {
  for (let seed = 1; seed <= 100; seed++) {
    const random = generator(seed);
    const one = traffic(
      random,
      "canary",
      300,
      random.pick([0, 0.02, 0.08]),
      random.pick([1, 1.5, 3]),
    );
    const other = traffic(
      random,
      "stable",
      300,
      random.pick([0, 0.02, 0.08]),
      random.pick([1, 1.5, 3]),
    );
    const swap = (sent: Sent): Sent => ({
      ...sent,
      track: sent.track === "canary" ? "stable" : "canary",
    });
    const there = judged({ sent: [...one, ...other] });
    const back = judged({ sent: [...one, ...other].map(swap) });
    for (const metric of [
      "success against stable",
      "latency against stable",
      "latency p95 against stable",
    ])
      assert.not.equal([outcomeOf(there, metric), outcomeOf(back, metric)], ["failed", "failed"]);
  }
});

/** Outcomes of so many analyses of versions that fail and answer like this. */
function simulated(
  runs: number,
  made: number,
  { rate = 0, scale = 1 }: { rate?: number; scale?: number },
): Record<string, number> {
  const counts: Record<string, number> = { passed: 0, inconclusive: 0, failed: 0, errored: 0 };
  for (let seed = 1; seed <= runs; seed++) {
    const random = generator(seed * 7919);
    const sent = [
      ...traffic(random, "canary", made, rate, scale),
      ...traffic(random, "stable", made, 0),
    ];
    const config = configured(`rate=${made / 20}`);
    const { outcome } = judged({ sent, config });
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  return counts;
}

test("lets_nearly_every_canary_pass_that_is_as_good_as_stable", () => {
  const { passed = 0, failed } = simulated(300, 400, {});
  assert.is(failed, 0);
  assert.ok(passed >= 290, `${passed} of 300 passed`);
});

test("fails_nearly_every_canary_that_fails_a_twentieth", () => {
  const { passed, failed = 0 } = simulated(200, 400, { rate: 0.05 });
  assert.is(passed, 0);
  assert.ok(failed >= 190, `${failed} of 200 failed`);
});

test("lets_hardly_any_canary_pass_that_fails_a_hundredth_when_requests_are_many", () => {
  const { passed = 0, failed = 0 } = simulated(100, 3000, { rate: 0.01 });
  assert.ok(passed <= 2, `${passed} of 100 passed`);
  assert.ok(failed >= 60, `${failed} of 100 failed`);
});

test("fails_nearly_every_canary_that_takes_three_times_as_long", () => {
  const { failed = 0 } = simulated(100, 400, { scale: 3 });
  assert.ok(failed >= 98, `${failed} of 100 failed`);
});

test("passes_nothing_of_which_nothing_was_seen", () => {
  for (const sent of [[], requests("canary", 99), requests("stable", 500), requests("canary", 500)])
    assert.is.not(judged({ sent }).outcome, "passed");
  const all = [...requests("canary", 400), ...requests("stable", 400)];
  assert.is(judged({ sent: all }).outcome, "passed");
  for (const lack of [{ k6: null }, { problem: "away" }, { pods: null }] as const) {
    const found = judged({ sent: all, observation: well(lack) });
    assert.is(found.outcome, "errored");
  }
  const broken = well({ k6: { exitCode: 107, said: "GoError: no such file", crossed: [] } });
  assert.is(judged({ sent: all, observation: broken }).outcome, "errored");
});

test("reads_nothing_out_of_garbage", () => {
  const random = generator(3);
  for (let count = 0; count < 300; count++) {
    const text = random.text(60);
    assert.is(readObservation(text), undefined);
    const read = readSent(`${text}\n`);
    assert.ok(read === undefined || read.length === 0, text);
  }
  assert.is(readObservation(undefined), undefined);
  assert.is(readSent('["canary","compare",0,0,null,1,3,4,null]\n'), undefined);
  assert.equal(readSent('["canary","compare",0,0,200,1,3,4,null]\n["can')?.length, 1);
  assert.is(readSent('["canary","compare",0,0,200,1,3,4,true]\n'), undefined);
});

test("combines_outcomes_whatever_their_order_by_the_gravest", () => {
  const random = generator(5);
  for (let count = 0; count < 200; count++) {
    const some = Array.from({ length: 1 + random.int(6) }, () => random.pick(OUTCOMES));
    const gravest = OUTCOMES.find((outcome) => some.includes(outcome));
    assert.is(combined(some), gravest);
    assert.is(combined(some.toReversed()), gravest);
  }
  assert.is(combined([]), "errored");
});

test("measures_again_after_errors_at_most_until_four_in_a_row", () => {
  assert.equal(nextMeasurement([]), { kind: "measure", seconds: 0 });
  const errors = (count: number): Outcome[] => Array<Outcome>(count).fill("errored");
  for (const count of [1, 2, 3])
    assert.equal(nextMeasurement(errors(count)), { kind: "measure", seconds: 10 });
  assert.equal(nextMeasurement(errors(4)), { kind: "done", outcome: "errored" });
  assert.equal(nextMeasurement([...errors(3), "passed", ...errors(3)]), {
    kind: "measure",
    seconds: 10,
  });
  for (const outcome of ["passed", "failed", "inconclusive"] as const)
    assert.equal(nextMeasurement([...errors(3), outcome]), { kind: "done", outcome });
});

test.run();
