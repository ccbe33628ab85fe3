import { suite } from "uvu";
import * as assert from "uvu/assert";
import { isLost, type Sent } from "../../../src/core/analysis/observation.js";
import { analysisTable } from "../../../src/core/analysis/table.js";
import type { RecordedRequest } from "../../../src/core/analysis/requests.js";
import type { Analysis, Measure } from "../../../src/core/analysis/types.js";
import { configured, judged, outcomeOf, pod, request, requests, well } from "./support.js";

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

test("fails_on_restarts_and_pods_that_are_not_ready_and_names_them", () => {
  const sent = both(requests("canary", 400));
  const stable = { before: [pod("s")], after: [pod("s")] };
  const before = [pod("a"), pod("b", { restarts: 2 })];
  const look = (after: ReturnType<typeof pod>[]): ReturnType<typeof judged> =>
    judged({ sent, observation: well({ pods: { canary: { before, after }, stable } }) });
  const restarted = look([pod("a"), pod("b", { restarts: 3, reason: "OOMKilled" })]);
  assert.is(outcomeOf(restarted, "restarts"), "failed");
  assert.match(restarted.why, "b: 1 (OOMKilled)");
  assert.is(outcomeOf(look([pod("a"), pod("b", { restarts: 2 })]), "restarts"), "passed");
  const waiting = look([
    pod("a", { ready: false, reason: "CrashLoopBackOff" }),
    pod("b", { restarts: 2 }),
  ]);
  assert.match(waiting.why, "1 of 2 pods ready; a is not ready (CrashLoopBackOff)");
  assert.is(look([]).outcome, "failed");
  // A new pod that has restarted already is one that restarts.
  assert.is(outcomeOf(look([pod("a"), pod("c", { restarts: 1 })]), "restarts"), "failed");
});

test("doubts_when_k6_made_fewer_requests_than_it_should", () => {
  const found = judged({ sent: both(requests("canary", 300), requests("stable", 400)) });
  assert.is(found.outcome, "inconclusive");
  assert.match(found.why, "rate to canary: k6 made 300 of 400 requests to canary");
});

const lost = (way: number, at: number, more: Partial<Sent> = {}): Sent =>
  request("canary", { way, at, status: 0, ok: false, ms: 5, ...more });

test("counts_no_request_that_was_lost_on_the_way_unless_the_pod_took_no_connection", () => {
  const away = [{ way: 0, at: 5000, said: "error: lost connection to pod" }];
  assert.ok(isLost(lost(0, 4990), away));
  assert.not.ok(isLost(lost(1, 4990), away), "of another way");
  assert.not.ok(isLost(lost(0, 9000), away), "of another time");
  assert.not.ok(isLost({ ...lost(0, 4990), status: 500 }, away), "an answer");
  const refused = saidAt(forwarding("failed to connect to localhost:8000 inside namespace e1: no"));
  assert.not.ok(isLost(lost(0, 4990), refused));
  const few = [
    ...Array.from({ length: 4 }, () => lost(0, 4990)),
    ...both(requests("canary", 396), requests("stable", 400)),
  ];
  assert.is(judged({ sent: few, observation: well({ breaks: away }) }).outcome, "passed");
  const many = [
    ...Array.from({ length: 200 }, () => lost(0, 4990)),
    ...both(requests("canary", 200), requests("stable", 400)),
  ];
  const found = judged({ sent: many, observation: well({ breaks: away }) });
  assert.is(found.outcome, "errored");
  assert.match(found.why, "200 of 400 requests to canary were lost on it");
});

/** As client-go 0.34 logs what a runtime could not forward. */
const forwarding = (why: string): string =>
  `E1126 19:00:00.000000 7 portforward.go:424] "Unhandled Error" err="an error occurred forwarding 4001 -> 8000: error forwarding port 8000 to pod e1, uid : ${why}"\nerror: lost connection to pod`;

const saidAt = (said: string) => [{ way: 0, at: 5000, said }];

test("counts_requests_to_a_pod_that_was_evicted_deleted_or_breaks_connections_off", () => {
  for (const said of [
    "error: unable to forward port because pod is not running. Current status=Failed",
    'Error from server (NotFound): pods "orders-1" not found',
    'error: error upgrading connection: unable to upgrade connection: pod not found ("orders-1_shop")',
    "error: error upgrading connection: unable to upgrade connection: sandbox container is not running",
    'error: error upgrading connection: failed to find sandbox "e1": not found',
    forwarding(
      'failed to execute portforward in network namespace \\"/var/run/netns/cni-1\\": read tcp4 127.0.0.1:4001->127.0.0.1:8000: read: connection reset by peer',
    ),
    forwarding(
      'port forward into network namespace \\"/var/run/netns/1\\": readfrom tcp 127.0.0.1:4001->127.0.0.1:8000: write: broken pipe',
    ),
  ])
    assert.not.ok(isLost(lost(0, 4990), saidAt(said)), said);
});

test("counts_no_request_that_was_lost_while_kubelet_runtime_or_api_server_were_away", () => {
  for (const said of [
    "error: error upgrading connection: error dialing backend: dial tcp 10.0.0.7:10250: connect: connection refused",
    "error: error upgrading connection: unable to upgrade connection: pod does not exist",
    "error: error upgrading connection: dial unix /run/containerd/containerd.sock: connect: connection refused",
    "Unable to connect to the server: dial tcp 10.0.0.1:6443: connect: connection refused",
    "error: kubectl: executable aws not found",
    // k6 gave the request up and hung up: what breaks is the way of the others.
    forwarding(
      'failed to execute portforward in network namespace \\"/var/run/netns/cni-1\\": writeto tcp4 127.0.0.1:4001->127.0.0.1:8000: Write on closed stream',
    ),
  ])
    assert.ok(isLost(lost(0, 4990), saidAt(said)), said);
});

test("errs_when_a_tenth_of_one_versions_requests_was_lost_however_many_others_there_are", () => {
  const config = configured("load.rate=50", "load.duration=30");
  const load = requests("canary", 1500).map((one) => ({ ...one, phase: "load" as const }));
  const observation = well({ breaks: saidAt("error: lost connection to pod") });
  const look = (count: number, more: Partial<Sent> = {}): ReturnType<typeof judged> => {
    const gone = Array.from({ length: count }, () => lost(0, 4990, more));
    const sent = [...gone, ...both(requests("canary", 400 - count), requests("stable", 400))];
    return judged({ sent: [...sent, ...load], config, observation, load: true });
  };
  assert.is(look(40).outcome, "passed");
  const found = look(41);
  assert.is(found.outcome, "errored");
  assert.match(found.why, "41 of 400 requests to canary were lost on it");
  const many = Array.from({ length: 200 }, () => lost(0, 4990, { phase: "load" }));
  const sent = [...both(requests("canary", 400)), ...load.slice(200), ...many];
  assert.match(
    judged({ sent, config, observation, load: true }).why,
    "200 of 1500 requests of the load test were lost on it",
  );
});

test("judges_no_look_by_what_was_lost_while_it_warmed_up", () => {
  const warmup = Array.from({ length: 40 }, () => lost(0, 4990, { phase: "warmup" }));
  const observation = well({ breaks: saidAt("error: lost connection to pod") });
  const sent = [...warmup, ...both(requests("canary", 400))];
  assert.is(judged({ sent, observation }).outcome, "passed");
});

test("doubts_when_a_pod_is_gone_that_was_there_and_not_when_one_came", () => {
  const look = (before: string[], after: string[]): ReturnType<typeof judged> => {
    const canary = {
      before: before.map((name) => pod(name)),
      after: after.map((name) => pod(name)),
    };
    const observation = well({ pods: { canary, stable: canary } });
    return judged({ sent: both(requests("canary", 400)), observation });
  };
  const found = look(["a", "b", "c", "d"], ["a", "b", "c", "e"]);
  assert.is(found.outcome, "inconclusive");
  assert.match(found.why, "4 of 4 pods ready; d is gone");
  assert.is(look(["a"], ["a", "b"]).outcome, "passed", "scaled up");
});

const PREDICT = Array.from({ length: 60 }, (_, index): RecordedRequest => {
  return { method: "POST", path: "/predict", headers: {}, body: `{"row":${index}}` };
});

/** Two answers of each version to each of so many requests. */
function predictions(
  count: number,
  answer: (index: number, round: number) => unknown,
  other: (index: number, round: number) => unknown,
): Sent[] {
  return [0, 1].flatMap((round) =>
    Array.from({ length: count }, (_, index) => [
      request("canary", { index, body: JSON.stringify(answer(index, round)) }),
      request("stable", { index, body: JSON.stringify(other(index, round)) }),
    ]).flat(),
  );
}

test("compares_what_both_predict_on_the_same_requests", () => {
  const config = configured(
    "minimum=20",
    "rate=2",
    "predictions.value=$.y",
    "predictions.tolerance=0.01",
  );
  const of = (answer: (index: number) => unknown): string =>
    outcomeOf(
      judged({
        sent: predictions(60, answer, (index) => ({ y: index })),
        config,
        recorded: PREDICT,
      }),
      "predictions",
    );
  assert.is(
    of((index) => ({ y: index + 0.009 })),
    "passed",
  );
  assert.is(
    of((index) => ({ y: index + (index < 3 ? 1 : 0) })),
    "passed",
  );
  assert.is(
    of((index) => ({ y: index + (index < 4 ? 1 : 0) })),
    "inconclusive",
  );
  assert.is(
    of((index) => ({ y: index + (index < 12 ? 1 : 0) })),
    "failed",
  );
  // An answer without a prediction is not the same prediction.
  assert.is(
    of((index) => (index < 12 ? { error: "no" } : { y: index })),
    "failed",
  );
  assert.is(
    of(() => ({ y: null })),
    "failed",
  );
});

test("leaves_out_requests_on_which_stable_does_not_agree_with_itself", () => {
  const config = configured("minimum=20", "rate=2", "predictions.value=$.y");
  const sent = predictions(
    60,
    (index) => ({ y: index }),
    (index, round) => ({ y: index < 10 ? index + round : index }),
  );
  const found = judged({ sent, config, recorded: PREDICT });
  assert.is(outcomeOf(found, "predictions"), "passed");
  assert.match(
    found.notices.join("\n"),
    "stable itself predicts differently each time on 10 requests",
  );
  const few = predictions(
    19,
    (index) => ({ y: index }),
    (index) => ({ y: index }),
  );
  assert.is(
    outcomeOf(judged({ sent: few, config, recorded: PREDICT }), "predictions"),
    "inconclusive",
  );
});

function predictionsOf({ measures }: Analysis): Measure {
  const found = measures.find(({ metric }) => metric === "predictions");
  if (!found) throw new Error("predictions were not judged");
  return found;
}

test("says_that_answers_are_too_long_and_passes_none_for_that", () => {
  const config = configured("minimum=20", "rate=2", "predictions.value=$.y");
  const of = (shorten: (one: Sent) => Sent): Measure => {
    const all = predictions(
      60,
      (index) => ({ y: index }),
      (index) => ({ y: index }),
    );
    return predictionsOf(judged({ sent: all.map(shorten), config, recorded: PREDICT }));
  };
  const long = ({ track, index }: Sent, more: Partial<Sent> = {}): Sent =>
    request(track, { index, tooLong: true, ...more });
  const all = of((one) => long(one));
  assert.is(all.outcome, "inconclusive");
  assert.match(all.why, "answers to 60 requests are longer than 16384 characters");
  const canarys = of((one) => (one.track === "canary" && one.index < 10 ? long(one) : one));
  assert.is(canarys.outcome, "inconclusive", "nobody knows what it predicts there");
  assert.match(canarys.why, "0 of 50 different requests are predicted differently");
  const hardlyAny = of((one) => (one.track === "canary" && one.index < 2 ? long(one) : one));
  assert.is(hardlyAny.outcome, "passed", "within the bounds, whatever they are");
  assert.match(hardlyAny.why, "answers to 2 requests are longer than 16384 characters");
  const stables = of((one) => (one.track === "stable" && one.index < 10 ? long(one) : one));
  assert.is(stables.outcome, "passed");
  // A long page that says what went wrong is no prediction.
  const wrong = of((one) =>
    one.track === "canary" && one.index < 12 ? long(one, { status: 500, ok: false }) : one,
  );
  assert.is(wrong.outcome, "failed");
});

test("counts_recorded_requests_that_are_the_same_once", () => {
  const config = configured("minimum=20", "rate=2", "predictions.value=$.y");
  const of = (recorded: readonly RecordedRequest[], answer: (index: number) => number): Measure => {
    const sent = predictions(
      recorded.length,
      (index) => ({ y: answer(index) }),
      () => ({ y: 0 }),
    );
    return predictionsOf(judged({ sent, config, recorded }));
  };
  const [one] = PREDICT;
  if (!one) throw new Error("no request");
  const few = of(
    PREDICT.map((_, index) => PREDICT[index % 5] ?? one),
    () => 0,
  );
  assert.is(few.outcome, "inconclusive");
  assert.match(few.why, "both predicted on 5 different requests, 20 are needed");
  // 21 lines are the same request, which is one of 40 that is predicted differently.
  const often = [one, ...PREDICT.slice(1, 40), ...Array<RecordedRequest>(20).fill(one)];
  const found = of(often, (index) => (index === 0 || index >= 40 ? 1 : 0));
  assert.is(found.outcome, "passed");
  assert.match(found.why, "1 of 40 different requests are predicted differently");
  assert.match(found.why, "the first are requests 1");
  // Names of headers are the same in any case and order; other values are another request.
  const header = (headers: Readonly<Record<string, string>>): RecordedRequest => ({
    ...one,
    headers,
  });
  const written = [header({ A: "1", b: "2" }), header({ B: "2", a: "1" }), header({ A: "2" })];
  assert.match(of(written, () => 0).why, "both predicted on 2 different requests");
});

test("compares_no_prediction_of_the_warm_up", () => {
  const config = configured("minimum=20", "rate=2", "predictions.value=$.y");
  const same = predictions(
    60,
    (index) => ({ y: index }),
    (index) => ({ y: index }),
  );
  const cold = same.map((one) =>
    one.track === "stable"
      ? { ...one, phase: "warmup" as const }
      : { ...one, phase: "warmup" as const, status: 503, ok: false, body: "not yet" },
  );
  const found = judged({ sent: [...cold, ...same], config, recorded: PREDICT });
  assert.is(outcomeOf(found, "predictions"), "passed");
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
