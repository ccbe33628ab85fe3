import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Sent } from "../../../src/core/analysis/observation.js";
import { analysisTable } from "../../../src/core/analysis/table.js";
import { configured, judged, outcomeOf, request, requests, well } from "./support.js";

const test = suite("measures of an analysis");

const both = (canary: Sent[], stable = requests("stable", canary.length)): Sent[] => [
  ...canary,
  ...stable,
];

test("passes_a_canary_like_stable_and_says_what_it_would_have_seen", () => {
  const found = judged({ sent: both(requests("canary", 400)) });
  assert.is(found.outcome, "passed");
  assert.equal(found.requests, { canary: 400, stable: 400, failed: 0 });
  const success = found.measures.find(({ metric }) => metric === "success");
  assert.equal([success?.canary, success?.threshold, success?.unit], [100, 99, "%"]);
  assert.match(success?.why ?? "", "0 of 400 requests failed (0 to 0.746 %), 1 % may");
  assert.match(success?.why ?? "", "would have shown a canary that fails 3.23 %");
  assert.match(analysisTable(found), /^success {2,}passed {8}0 of 400/m);
  assert.match(analysisTable(found), "PASSED: 400 requests to the canary, 400 to stable, 0 of");
});

test("fails_by_the_success_rate_when_that_is_sure_and_doubts_when_it_is_not", () => {
  // 1 - binomtest(k, 400, 0.01, "greater"): 8 is 0.9498, 9 is 0.9792.
  assert.is(outcomeOf(judged({ sent: both(requests("canary", 400, 9)) }), "success"), "failed");
  assert.is(
    outcomeOf(judged({ sent: both(requests("canary", 400, 8)) }), "success"),
    "inconclusive",
  );
  assert.is(outcomeOf(judged({ sent: both(requests("canary", 400, 4)) }), "success"), "passed");
});

test("passes_what_is_just_at_its_threshold", () => {
  const alone = (minimum: number, made: number, failed: number): string => {
    const config = configured(`success.minimum=${minimum}`);
    const sent = requests("canary", made, failed);
    return outcomeOf(judged({ sent, config, tracks: ["canary"] }), "success");
  };
  assert.is(alone(99.9, 1000, 1), "passed");
  assert.is(alone(99.9, 1000, 2), "inconclusive");
  assert.is(alone(99.95, 2000, 1), "passed");
  assert.is(alone(99.95, 2000, 2), "inconclusive");
  const config = configured("load.rate=20", "load.duration=50", "load.errors=0.7");
  const load = (failed: number): string => {
    const sent = requests("canary", 1000, failed).map((one) => ({
      ...one,
      phase: "load" as const,
    }));
    return outcomeOf(judged({ sent, config, tracks: ["canary"], load: true }), "load success");
  };
  assert.equal([load(7), load(8)], ["passed", "inconclusive"]);
  const against = (failed: number): string => {
    const sent = both(requests("canary", 1000, failed), requests("stable", 1000));
    const margin = configured("success.margin=0.7");
    return outcomeOf(judged({ sent, config: margin }), "success against stable");
  };
  assert.equal([against(7), against(8)], ["passed", "inconclusive"]);
});

test("fails_against_stable_although_the_threshold_holds", () => {
  const config = configured("success.minimum=90");
  const found = judged({ sent: both(requests("canary", 400, 12)), config });
  assert.is(outcomeOf(found, "success"), "passed");
  assert.is(outcomeOf(found, "success against stable"), "failed");
});

test("does_not_blame_a_canary_that_fails_no_more_often_than_stable", () => {
  const config = configured("success.minimum=90");
  const sent = both(requests("canary", 400, 14), requests("stable", 400, 12));
  assert.is(judged({ sent, config }).outcome, "passed");
});

test("does_not_let_a_tiny_difference_decide_however_sure_it_is", () => {
  const fast = requests("stable", 2000, 0, 2).map((one, i) => ({ ...one, ms: 2 + (i % 10) / 100 }));
  const slower = requests("canary", 2000).map((one, i) => ({ ...one, ms: 3 + (i % 10) / 100 }));
  const found = judged({ sent: both(slower, fast) });
  // Every one of the canary's is slower, by half of the time, and by a millisecond.
  assert.is(outcomeOf(found, "latency against stable"), "passed");
  const strict = configured("latency.floor=0");
  assert.is(
    outcomeOf(judged({ sent: both(slower, fast), config: strict }), "latency against stable"),
    "failed",
  );
});

test("judges_quantiles_by_their_thresholds", () => {
  const config = configured("latency.p50=20", "latency.p95=50", "latency.p99=100");
  const slow = (count: number): Sent[] =>
    requests("canary", 400).map((one, i) => ({ ...one, ms: i < count ? 80 : 10 }));
  const of = (count: number): string[] => {
    const found = judged({ sent: slow(count), config, tracks: ["canary"] });
    return ["latency p50", "latency p95", "latency p99"].map((name) => outcomeOf(found, name));
  };
  assert.equal(of(0), ["passed", "passed", "passed"]);
  assert.equal(of(24), ["passed", "inconclusive", "passed"]);
  assert.equal(of(40), ["passed", "failed", "passed"]);
  assert.equal(of(250), ["failed", "failed", "passed"]);
});

test("takes_a_request_without_an_answer_for_slower_than_any", () => {
  const config = configured("latency.p95=50");
  const silent = requests("canary", 400).map((one, i) =>
    i < 60 ? { ...one, status: 0, ok: false, ms: 1 } : one,
  );
  const found = judged({ sent: silent, config, tracks: ["canary"] });
  const p95 = found.measures.find(({ metric }) => metric === "latency p95");
  assert.is(p95?.outcome, "failed");
  assert.is(p95?.canary, undefined, "no number stands for it");
  assert.match(p95?.why ?? "", "p95 is without end");
  assert.not.match(JSON.stringify(found), "null");
});

test("says_that_a_tail_was_not_compared_when_requests_are_too_few_for_it", () => {
  const found = judged({ sent: both(requests("canary", 300)), config: configured("rate=15") });
  assert.is(outcomeOf(found, "latency p99 against stable"), "absent");
  assert.match(
    found.notices.join("\n"),
    "latency p99 was not compared with stable: that takes 368",
  );
  assert.is(outcomeOf(found, "latency p95 against stable"), "passed");
});

test("compares_with_nothing_where_there_is_no_stable_version_and_says_so", () => {
  const found = judged({ sent: requests("canary", 400), tracks: ["canary"] });
  assert.is(found.outcome, "passed");
  assert.is(outcomeOf(found, "success against stable"), "absent");
  assert.match(found.notices.join("\n"), "no stable version to compare with");
});

test("leaves_out_a_query_that_only_compares_where_there_is_nothing_to_compare_with", () => {
  const queries = [{ name: "queue", url: "http://m/{{track}}", margin: 10 }];
  const config = configured(`queries=${JSON.stringify(queries)}`);
  const alone = judged({ sent: requests("canary", 400), tracks: ["canary"], config });
  assert.is(alone.outcome, "passed");
  assert.match(alone.notices.join("\n"), "queue was not judged");
  // With a stable version, values that are not there are errors.
  assert.is(outcomeOf(judged({ sent: both(requests("canary", 400)), config }), "queue"), "errored");
});

test("counts_nothing_of_the_warm_up", () => {
  const cold = Array.from({ length: 40 }, () =>
    request("canary", { phase: "warmup", status: 500, ok: false }),
  );
  const found = judged({ sent: [...cold, ...both(requests("canary", 400))] });
  assert.is(found.outcome, "passed");
  assert.is(found.requests.failed, 0);
});

test("doubts_when_k6_made_fewer_requests_than_it_should", () => {
  const found = judged({ sent: both(requests("canary", 300), requests("stable", 400)) });
  assert.is(found.outcome, "inconclusive");
  assert.match(found.why, "rate to canary: k6 made 300 of 400 requests to canary");
});

test("judges_a_load_test_and_never_passes_what_k6_saw_crossed", () => {
  const config = configured("load.rate=20", "load.duration=10", "load.p95=50");
  const base = both(requests("canary", 400));
  const load = (failed: number, ms: number): Sent[] =>
    requests("canary", 200, failed, ms).map((one) => ({ ...one, phase: "load" }));
  const of = (sent: Sent[], crossed: string[] = []): string[] => {
    const observation = well({ k6: { exitCode: crossed.length > 0 ? 99 : 0, said: "", crossed } });
    const found = judged({ sent: [...base, ...sent], config, load: true, observation });
    return ["load success", "load latency p95"].map((metric) => outcomeOf(found, metric));
  };
  assert.equal(of(load(0, 10)), ["passed", "passed"]);
  assert.equal(of(load(20, 10)), ["failed", "passed"]);
  assert.equal(of(load(0, 80)), ["passed", "failed"]);
  assert.equal(of(load(0, 10), ["http_req_duration{scenario:canary-load} p(95)<=50"]), [
    "passed",
    "inconclusive",
  ]);
  assert.equal(of(load(0, 10), ["http_req_failed{scenario:canary-load} rate<=0.01"]), [
    "inconclusive",
    "passed",
  ]);
  const found = judged({ sent: base, config, load: true });
  assert.is(outcomeOf(found, "load rate"), "inconclusive");
});

test.run();
