import { suite } from "uvu";
import * as assert from "uvu/assert";
import { readEvidence } from "../../../src/core/analysis/evidence.js";
import { atJsonPath, parseJsonPath } from "../../../src/core/analysis/json-path.js";
import { isLoadStep, planOf } from "../../../src/core/analysis/plan.js";
import { askedOf, queryProblems, type Labels } from "../../../src/core/analysis/queries.js";
import { defaultRequests, readRequests } from "../../../src/core/analysis/requests.js";
import { readSmoke } from "../../../src/core/analysis/smoke.js";
import { raises } from "../raises.js";
import { configured, well } from "./support.js";

const test = suite("inputs of an analysis");

test("reads_recorded_requests_with_what_is_left_out", () => {
  const text = [
    '{"path": "/readyz"}',
    "",
    '{"method": "POST", "path": "/predict", "body": {"rows": [[1, 2]]}, "status": 201}',
    '{"method": "PUT", "path": "/x", "body": "plain", "headers": {"X-Key": "1"}}',
  ].join("\n");
  assert.equal(readRequests(text, "requests.jsonl"), [
    { method: "GET", path: "/readyz", headers: {} },
    {
      ...{ method: "POST", path: "/predict", body: '{"rows":[[1,2]]}', status: 201 },
      headers: { "Content-Type": "application/json" },
    },
    { method: "PUT", path: "/x", body: "plain", headers: { "X-Key": "1" } },
  ]);
});

test("rejects_recorded_requests_with_all_lines_that_are_wrong", () => {
  const message = raises("CONFIG", () =>
    readRequests(
      '{"path": "readyz"}\nGET /\n{"path": "/", "methd": "GET"}\n{"path":"/"}',
      "r.jsonl",
    ),
  );
  assert.match(message, "r.jsonl:1: path: expected an HTTP path such as /readyz");
  assert.match(message, "r.jsonl:2: not JSON");
  assert.match(message, /r\.jsonl:3: .*methd/);
  assert.not.match(message, "r.jsonl:4");
  assert.match(
    raises("CONFIG", () => readRequests("\n\n", "r.jsonl")),
    "holds no request",
  );
});

test("finds_values_by_their_path", () => {
  const answer = {
    predictions: [
      { species: "a", p: [0.1] },
      { species: "b", p: [0.9] },
    ],
    "x-y": null,
  };
  const at = (text: string): unknown[] => atJsonPath(answer, parseJsonPath(text) ?? []);
  assert.equal(at("$.predictions[*].species"), ["a", "b"]);
  assert.equal(at("predictions[1].p[0]"), [0.9]);
  assert.equal(at('$["x-y"]'), [null]);
  assert.equal(at("$.x-y"), [null]);
  assert.equal(at("$"), [answer]);
  assert.equal(at("$.predictions.species"), []);
  assert.equal(at("$.toString"), []);
  for (const wrong of ["$..a", "$.a[", "$.a[-1]", "a b", "$.a[?(@.b)]"])
    assert.is(parseJsonPath(wrong), undefined, wrong);
});

const PLACES = { namespace: "shop", name: "orders", release: "7" };
const BOTH: Labels = { canary: "canary", stable: "stable" };

test("fills_in_the_placeholders_of_queries", () => {
  const config = configured(
    "prometheus=http://prometheus:9090/",
    `queries=${JSON.stringify([
      {
        name: "errors",
        query: 'rate(e{ns="{{namespace}}",app="{{ name }}-{{track}}"}[1m])',
        margin: 10,
      },
      { name: "age", url: "http://m/{{name}}/{{release}}", minimum: 1 },
    ])}`,
  );
  const asked = askedOf(config, PLACES, BOTH, false);
  assert.equal(
    asked.map(({ query, track }) => [query, track]),
    [
      [0, "canary"],
      [0, "stable"],
      [1, "canary"],
    ],
  );
  const [first] = asked;
  const url = new URL(first?.url ?? "");
  assert.is(url.origin + url.pathname, "http://prometheus:9090/api/v1/query");
  assert.is(url.searchParams.get("query"), 'rate(e{ns="shop",app="orders-canary"}[1m])');
  assert.is(asked[2]?.url, "http://m/orders/7");
  assert.is(askedOf(config, PLACES, { canary: "canary" }, false).length, 2);
});

test("asks_about_the_pods_that_are_there_when_a_promoted_release_is_watched", () => {
  const query = 'sum(errors{track="{{track}}"}) or vector(0)';
  const config = configured(
    "prometheus=http://prometheus:9090",
    `queries=${JSON.stringify([{ name: "errors", query, maximum: 1 }])}`,
  );
  const [first, ...more] = askedOf(config, PLACES, { canary: "stable" }, false);
  assert.equal([first?.track, more], ["canary", []]);
  assert.match(new URL(first?.url ?? "").searchParams.get("query") ?? "", 'track="stable"');
});

test("gives_the_token_to_the_server_that_it_is_for_and_to_no_other", () => {
  const given = (urls: readonly string[], ...set: string[]): boolean[] => {
    const queries = urls.map((url, index) => ({ name: `q${index}`, url, maximum: 1 }));
    const promql = { name: "p", query: "up{track='{{track}}'}", maximum: 1 };
    const all = set.length > 0 ? [...queries, promql] : queries;
    const config = configured(`queries=${JSON.stringify(all)}`, ...set);
    return askedOf(config, PLACES, BOTH, true).map(({ token }) => token);
  };
  assert.equal(given(["http://m/a", "http://m:80/b"]), [true, true]);
  const several = ["http://m/a", "https://m/a", "http://other.m/a", "http://m.example/"];
  assert.equal(given(several, "prometheus=http://m/prometheus"), [
    ...[true, false, false, false],
    true,
  ]);
  const refused = raises("CONFIG", () => given(several));
  assert.match(refused, "ask http://m and https://m and http://other.m and http://m.example");
  assert.match(refused, "set analysis.prometheus to the base URL of that one");
  assert.equal(given([]), []);
});

test("tells_all_that_keeps_queries_from_being_asked_at_once", () => {
  const queries = [
    { name: "errors", query: "up{{pod}}{{ node }}{{pod}}", maximum: 1 },
    { name: "age", url: "http://m/{{names}}", maximum: 1 },
    { name: "well", url: "http://m/{{name}}", maximum: 1 },
  ];
  const problems = (...set: string[]): string[] =>
    queryProblems(configured(...set), PLACES, BOTH, true).map(
      ({ source, key = "", message }) => `${source} ${key}: ${message}`,
    );
  const known = "{{namespace}}, {{name}}, {{release}}, {{track}}";
  assert.equal(problems(`queries=${JSON.stringify(queries)}`), [
    'analysis.queries "errors": it is for Prometheus, and analysis.prometheus is not set: give its base URL',
    `analysis.queries "errors": it has the placeholder {{pod}}; there are ${known}`,
    `analysis.queries "errors": it has the placeholder {{node}}; there are ${known}`,
    `analysis.queries "age": it has the placeholder {{names}}; there are ${known}`,
  ]);
  const none = { name: "none", url: "http://m:port/{{track}}", margin: 1 };
  assert.equal(problems(`queries=${JSON.stringify([none])}`), [
    'analysis.queries "none": its address is no URL',
  ]);
  // Where the name of the server is filled in, each track has one of its own.
  const own = `queries=${JSON.stringify([{ name: "own", url: "http://{{track}}.m/", margin: 1 }])}`;
  assert.match(problems(own).join(), "ask http://canary.m and http://stable.m");
  const watched = { canary: "stable" } as const;
  assert.equal(queryProblems(configured(own), PLACES, watched, true), []);
  assert.equal(queryProblems(configured(own), PLACES, BOTH, false), []);
});

test("rejects_queries_that_cannot_be_asked_or_cannot_fail", () => {
  const asked = (...set: string[]): string =>
    raises("CONFIG", () => askedOf(configured(...set), PLACES, BOTH, false));
  const one = (query: object): string => `queries=${JSON.stringify([{ name: "q", ...query }])}`;
  assert.match(asked(one({ query: "up", minimum: 1 })), "analysis.prometheus is not set");
  assert.match(
    asked("prometheus=http://p", one({ query: "up{{pod}}", minimum: 1 })),
    "there are {{namespace}}, {{name}}, {{release}}, {{track}}",
  );
  const refused = (query: object): string => raises("CONFIG", () => configured(one(query)));
  assert.match(refused({ query: "up" }), "without a bound nothing can fail");
  assert.match(refused({ query: "up", url: "http://x", minimum: 1 }), "either `query` or `url`");
  assert.match(refused({ query: "up", margin: 1 }), "expected {{track}} in it");
  assert.match(refused({ url: "http://user:word@x/", minimum: 1 }), "without user and password");
});

test("plans_equal_requests_to_both_versions_and_the_load_after_them", () => {
  const config = configured(
    "rate=30",
    "duration=10",
    "warmup=2",
    "load.rate=100",
    "load.p95=300",
    "load.errors=0.7",
  );
  const plan = planOf(config, {
    tracks: ["canary", "stable"],
    requests: [
      ...defaultRequests("/readyz"),
      { method: "POST", path: "/predict?v=1", headers: {} },
    ],
    host: "orders",
    load: true,
  });
  const options = plan.k6.options as {
    scenarios: Record<string, Record<string, unknown>>;
    thresholds: Record<string, unknown>;
  };
  const {
    "canary-compare": canary,
    "stable-compare": stable,
    "canary-load": load,
  } = options.scenarios;
  assert.equal({ ...canary, env: 0 }, { ...stable, env: 0 });
  assert.equal(
    [canary?.duration, canary?.rate, load?.startTime, load?.rate],
    ["12s", 30, "13s", 100],
  );
  assert.equal(options.thresholds["http_req_duration{scenario:canary-load}"], ["p(95)<=300"]);
  assert.equal(options.thresholds["http_req_failed{scenario:canary-load}"], ["rate<=0.007"]);
  assert.equal(plan.planned, { compare: 300, load: 3000 });
  assert.equal([plan.k6.warmupSeconds, plan.k6.rate], [2, 30]);
  assert.equal(
    plan.k6.requests.map(({ keep }) => keep),
    [false, true],
  );
  assert.is(plan.polls.length, 10);
  assert.ok(plan.polls.every((at) => at >= 7 && at < plan.end));
  assert.is(plan.end, 12);
  const [early] = Object.keys(options.thresholds);
  assert.is(early, "http_req_failed{scenario:canary-compare,phase:compare}");
  const without = planOf(config, {
    tracks: ["canary"],
    requests: defaultRequests("/"),
    host: "o",
    load: false,
  });
  assert.equal(Object.keys((without.k6.options as typeof options).scenarios), ["canary-compare"]);
});

test("says_that_there_are_more_requests_than_are_read_and_does_not_take_them_for_none", () => {
  const left = { observation: JSON.stringify(well()), exitCode: 0, stderr: "Traceback" };
  const line = '["canary","compare",0,0,200,1,3,4,null]\n';
  const whole = readEvidence({ ...left, requests: line, bytes: line.length });
  assert.is(typeof whole === "string" || whole.sent.length, 1);
  const long = readEvidence({ ...left, requests: undefined, bytes: 70 * 1024 * 1024 });
  const why = typeof long === "string" ? long : "";
  assert.match(why, "requests.log has 70 MiB, which is longer than what is read");
  assert.match(why, "lower analysis.rate or analysis.duration");
  for (const more of [{ observation: undefined }, { requests: "garbage\n" }])
    assert.is(
      readEvidence({ ...left, requests: line, bytes: line.length, ...more }),
      "the analysis left nothing that can be read (exit code 0): Traceback",
    );
});

test("puts_the_load_test_where_it_meets_the_fewest_users", () => {
  const steps = [
    { weight: 5, pause: 0, analysis: false },
    { weight: 10, pause: 0, analysis: true },
    { weight: 50, pause: 0, analysis: true },
  ];
  const at = (strategy: "canary" | "blue-green", weight: number): boolean =>
    isLoadStep({ steps, strategy }, weight);
  assert.equal(
    [0, 10, 50, 100].map((weight) => at("canary", weight)),
    [true, true, false, false],
  );
  assert.equal(
    [0, 100].map((weight) => at("blue-green", weight)),
    [true, false],
  );
});

test("holds_smoke_requests_for_well_only_when_every_one_was_answered_as_expected", () => {
  const result = {
    pod: "a",
    request: "GET /readyz",
    status: 200,
    ms: 1,
    tries: 1,
    ok: true,
    why: "",
  };
  const of = (problem: string, ...results: object[]): boolean =>
    readSmoke(JSON.stringify({ problem, results }), 2).ok;
  assert.ok(of("", result, result));
  assert.not.ok(of("", result), "one is missing");
  assert.not.ok(of(""), "none was made");
  assert.not.ok(of("away", result, result));
  const bad = { ...result, ok: false, status: 500, why: "status 500, expected 200", tries: 4 };
  assert.not.ok(of("", result, bad));
  assert.match(
    readSmoke(JSON.stringify({ problem: "", results: [bad] }), 1).why,
    "GET /readyz of a: status 500, expected 200 (4 tries)",
  );
  for (const text of [undefined, "", "{}", "null"]) assert.not.ok(readSmoke(text, 1).ok);
});

test.run();
