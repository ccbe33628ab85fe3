import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Sample } from "../../../src/core/analysis/observation.js";
import { judgeQuery, readSample } from "../../../src/core/analysis/samples.js";
import type { MetricQuery } from "../../../src/core/config/analysis.js";
import { generator } from "../random.js";
import { configured } from "./support.js";

const test = suite("queries of an analysis");

function query(more: object): MetricQuery {
  const one = { name: "q", url: "http://m/{{track}}", value: "$.v", maximum: 5, ...more };
  const [found] = configured(`queries=${JSON.stringify([one])}`).queries;
  if (!found) throw new Error("no query");
  return found;
}

const PROMETHEUS = { url: undefined, value: undefined, query: "sum(x{t='{{track}}'})" };

const sample = (body: unknown, more: Partial<Sample> = {}): Sample => ({
  ...{ query: 0, track: "canary", status: 200, error: "" },
  body: typeof body === "string" ? body : JSON.stringify(body),
  ...more,
});

const values = (...all: unknown[]): Sample[] => all.map((v) => sample({ v }));
const times = <T>(count: number, value: T): T[] => Array<T>(count).fill(value);

test("holds_the_median_to_its_bounds", () => {
  const of = (more: object, ...all: number[]): string =>
    judgeQuery(query(more), values(...all), undefined, 0.95).outcome;
  assert.is(of({}, ...times(10, 4)), "passed");
  assert.is(of({}, ...times(10, 6)), "failed");
  assert.is(of({}, ...times(4, 4), ...times(6, 6)), "inconclusive");
  assert.is(of({ maximum: undefined, minimum: 5 }, ...times(10, 4)), "failed");
  assert.is(of({ minimum: 3 }, ...times(10, 4)), "passed");
  // One high value among ten decides nothing.
  assert.is(of({}, 1000, ...times(9, 4)), "passed");
});

test("compares_with_stable_at_the_same_time_in_the_direction_that_is_bad", () => {
  const of = (more: object, ours: number[], theirs: number[]): string =>
    judgeQuery(
      query({ maximum: undefined, margin: 10, ...more }),
      values(...ours),
      values(...theirs),
      0.95,
    ).outcome;
  const high = [20, 21, 22, 23, 24, 25, 26, 27, 28, 29];
  const low = [10, 11, 12, 13, 14, 10.5, 11.5, 12.5, 13.5, 14.5];
  assert.is(of({}, high, low), "failed");
  assert.is(of({}, low, high), "passed");
  assert.is(of({ better: "higher" }, high, low), "passed");
  assert.is(of({ better: "higher" }, low, high), "failed");
  assert.is(of({}, low, low), "passed");
  assert.is(of({ margin: 200 }, high, low), "passed");
  assert.is(of({ floor: 50 }, high, low), "passed");
});

test("passes_no_query_without_numbers", () => {
  for (const nothing of [NaN, null, "NaN", "", "+Inf", "-Inf", "Infinity"])
    assert.is(
      judgeQuery(query({}), values(...times(10, nothing)), undefined, 0.95).outcome,
      "inconclusive",
      String(nothing),
    );
  assert.is(judgeQuery(query({}), values(...times(4, 1)), undefined, 0.95).outcome, "inconclusive");
  assert.is(judgeQuery(query({}), [], undefined, 0.95).outcome, "errored");
  const half = [...values(...times(4, 1)), ...values(...times(6, null))];
  assert.is(judgeQuery(query({}), half, undefined, 0.95).outcome, "inconclusive");
  const compared = query({ margin: 10, maximum: undefined });
  assert.is(judgeQuery(compared, values(...times(10, 1)), [], 0.95).outcome, "errored");
  assert.is(judgeQuery(compared, values(...times(10, 1)), undefined, 0.95).outcome, "inconclusive");
});

test("errs_when_a_query_fails", () => {
  const failures = [
    sample("", { error: "connection refused", status: 0 }),
    sample("not here", { status: 404 }),
    sample("<html>"),
    sample({ v: { a: 1 } }),
    sample({ v: true }),
  ];
  for (const failure of failures) {
    const found = judgeQuery(query({}), times(10, failure), undefined, 0.95);
    assert.is(found.outcome, "errored", JSON.stringify(failure));
    assert.match(found.why, "10 of 10 queries failed");
  }
  // One that fails once in ten is believed.
  const once = [...values(...times(9, 4)), sample("", { error: "reset", status: 0 })];
  assert.is(judgeQuery(query({}), once, undefined, 0.95).outcome, "passed");
});

test("reads_what_prometheus_answers", () => {
  const vector = (...of: string[]): Sample =>
    sample({
      status: "success",
      data: {
        resultType: "vector",
        result: of.map((value) => ({ metric: {}, value: [1, value] })),
      },
    });
  const read = (one: Sample): unknown => readSample(query(PROMETHEUS), one);
  assert.equal(read(vector("0.25")), { value: 0.25 });
  assert.is(read(vector()), undefined);
  assert.is(read(vector("NaN")), undefined);
  assert.equal(read(vector("1", "2")), {
    error: "Prometheus gave 2 series; aggregate them to one, with sum()",
  });
  assert.equal(
    read(sample({ status: "success", data: { resultType: "scalar", result: [1, "3"] } })),
    {
      value: 3,
    },
  );
  assert.match(
    JSON.stringify(read(sample({ status: "error", error: "parse error: x" }, { status: 200 }))),
    "parse error: x",
  );
  assert.match(JSON.stringify(read(sample("bad", { status: 400 }))), "HTTP 400: bad");
  assert.match(
    JSON.stringify(read(sample({ status: "success", data: { resultType: "matrix", result: [] } }))),
    "a vector is needed",
  );
});

test("passes_nothing_that_is_garbage", () => {
  const random = generator(11);
  for (let count = 0; count < 300; count++) {
    const garbage = times(10, sample(random.text(40)));
    for (const one of [query({}), query(PROMETHEUS)])
      assert.is.not(judgeQuery(one, garbage, undefined, 0.95).outcome, "passed");
  }
});

test.run();
