import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Sent } from "../../../src/core/analysis/observation.js";
import type { RecordedRequest } from "../../../src/core/analysis/requests.js";
import type { Analysis, Measure } from "../../../src/core/analysis/types.js";
import { configured, judged, outcomeOf, request } from "./support.js";

const test = suite("predictions in an analysis");

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

test.run();
