// load.py and load.js with the real k6, on pods of this machine's loopback.
import { writeFile } from "node:fs/promises";
import type { RequestListener } from "node:http";
import { suite } from "uvu";
import * as assert from "uvu/assert";

import type { RecordedRequest } from "../../../src/core/analysis/requests.js";
import { good, localCluster, type LocalCluster } from "./cluster.js";
import { look, measure } from "./look.js";

const test = suite<{ cluster: LocalCluster }>("load.py");
test.before.each(async (context) => {
  context.cluster = await localCluster();
});
test.after.each(async ({ cluster }) => {
  await cluster.close();
});

/** Fails so many of 100 requests. */
const failing = (percent: number): RequestListener => {
  let count = 0;
  return (request, response) => {
    if (count++ % 100 < percent) response.statusCode = 500;
    good(request, response);
  };
};

const slow =
  (ms: number): RequestListener =>
  (request, response) => {
    setTimeout(() => {
      good(request, response);
    }, ms);
  };

test("passes_a_canary_that_does_as_stable_does_on_all_of_its_pods", async ({ cluster }) => {
  const asked: Record<string, number> = {};
  const counting =
    (name: string): RequestListener =>
    (request, response) => {
      asked[name] = (asked[name] ?? 0) + 1;
      good(request, response);
    };
  await cluster.add("canary", "canary-1", counting("canary-1"));
  for (const name of ["stable-1", "stable-2"]) await cluster.add("stable", name, counting(name));
  const found = await look(cluster, {});
  assert.is(found.outcome, "passed", JSON.stringify(found, undefined, 1));
  assert.ok(found.requests.canary >= 135 && found.requests.stable >= 135);
  assert.is(found.requests.failed, 0);
  const [canary = 0, one = 0, two = 0] = [asked["canary-1"], asked["stable-1"], asked["stable-2"]];
  assert.ok(canary > found.requests.canary, "the warm-up is made too");
  assert.ok(Math.abs(one - two) <= 20, `the pods share the requests: ${one}, ${two}`);
});

test("fails_a_canary_that_fails_a_tenth_of_the_requests_and_says_how_sure_that_is", async ({
  cluster,
}) => {
  await cluster.add("canary", "canary-1", failing(10));
  await cluster.add("stable", "stable-1", good);
  const found = await look(cluster, {});
  assert.is(found.outcome, "failed");
  assert.is(measure(found, "success").outcome, "failed");
  assert.ok((measure(found, "success against stable").confidence ?? 0) >= 0.95);
  assert.match(found.why, /success: \d+ of \d+ requests failed .* sure/);
});

test("ends_early_when_the_canary_fails_every_request", async ({ cluster }) => {
  await cluster.add("canary", "canary-1", failing(100));
  await cluster.add("stable", "stable-1", good);
  const began = Date.now();
  const found = await look(cluster, { set: ["analysis.duration=60"] });
  assert.is(found.outcome, "failed");
  assert.ok(Date.now() - began < 30_000, `${Date.now() - began} ms`);
});

test("fails_a_canary_that_is_slower_than_stable_beyond_the_margin", async ({ cluster }) => {
  await cluster.add("canary", "canary-1", slow(400));
  await cluster.add("stable", "stable-1", good);
  const found = await look(cluster, { set: ["analysis.latency.p95=100"] });
  assert.is(found.outcome, "failed");
  for (const metric of ["latency p95", "latency against stable", "latency p95 against stable"])
    assert.is(measure(found, metric).outcome, "failed", metric);
  assert.is(measure(found, "success").outcome, "passed");
});

test("fails_a_canary_that_does_not_answer_in_time", async ({ cluster }) => {
  await cluster.add("canary", "canary-1", slow(3000));
  await cluster.add("stable", "stable-1", good);
  const found = await look(cluster, { set: ["analysis.timeout=1"] });
  assert.is(found.outcome, "failed");
  assert.is(measure(found, "success").canary, 0);
});

const PREDICT: readonly RecordedRequest[] = Array.from({ length: 40 }, (_, index) => ({
  method: "POST",
  path: "/predict",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({ row: index }),
}));

/** Predicts by the row; the second version otherwise for one row in `every`. */
const predicting =
  (every: number): RequestListener =>
  (request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      const { row } = JSON.parse(body) as { row: number };
      const species = row % every === 0 ? "virginica" : "setosa";
      response.end(JSON.stringify({ predictions: [{ species, at: Math.random() }] }));
    });
  };

test("fails_a_canary_that_answers_well_but_predicts_differently", async ({ cluster }) => {
  await cluster.add("canary", "canary-1", predicting(2));
  await cluster.add("stable", "stable-1", predicting(1000));
  const found = await look(cluster, {
    requests: PREDICT,
    set: ["analysis.predictions.value=$.predictions[*].species"],
  });
  assert.is(found.outcome, "failed");
  assert.is(measure(found, "success").outcome, "passed");
  const predictions = measure(found, "predictions");
  assert.is(predictions.outcome, "failed");
  // Row 0 is predicted alike: 19 of 40 are not.
  assert.is(predictions.canary, 52.5);
});

test("passes_predictions_that_are_alike_where_the_path_says", async ({ cluster }) => {
  await cluster.add("canary", "canary-1", predicting(1000));
  await cluster.add("stable", "stable-1", predicting(1000));
  const found = await look(cluster, {
    requests: PREDICT,
    set: ["analysis.predictions.value=$.predictions[*].species"],
  });
  assert.is(measure(found, "predictions").outcome, "passed");
  assert.is(measure(found, "predictions").canary, 100);
});

test("says_that_answers_are_too_long_to_be_compared", async ({ cluster }) => {
  const long: RequestListener = (request, response) => {
    request.resume();
    response.end(
      JSON.stringify({ predictions: [{ species: "setosa" }], rest: "x".repeat(17_000) }),
    );
  };
  await cluster.add("canary", "canary-1", long);
  await cluster.add("stable", "stable-1", long);
  const found = await look(cluster, {
    requests: PREDICT,
    set: ["analysis.predictions.value=$.predictions[*].species"],
  });
  assert.is(measure(found, "predictions").outcome, "inconclusive");
  assert.match(found.why, "answers to 40 requests are longer than 16384 characters");
});

test("compares_no_prediction_of_the_warm_up_and_does_not_end_early_for_it", async ({ cluster }) => {
  const well = predicting(1000);
  let asked = 0;
  await cluster.add("canary", "canary-1", (request, response) => {
    if (++asked > 100) {
      well(request, response);
      return;
    }
    response.statusCode = 503;
    response.end("not yet");
  });
  await cluster.add("stable", "stable-1", well);
  const found = await look(cluster, {
    requests: PREDICT,
    set: ["analysis.predictions.value=$.predictions[*].species", "analysis.warmup=5"],
  });
  assert.is(measure(found, "predictions").outcome, "passed", found.why);
  assert.is(measure(found, "predictions").canary, 100);
  assert.is(found.outcome, "passed", found.why);
});

test("opens_the_ways_within_the_warm_up_and_compares_for_as_long_as_it_is_to", async ({
  cluster,
}) => {
  await cluster.add("canary", "canary-1", good);
  await cluster.add("stable", "stable-1", good);
  const set = ["analysis.warmup=4", "analysis.duration=5", "analysis.rate=20"];
  const { sent } = await look(cluster, { set });
  const count = (phase: string): number =>
    sent.filter((one) => one.track === "canary" && one.phase === phase).length;
  assert.ok(count("warmup") >= 40, `${count("warmup")}: half of it is left`);
  assert.ok(count("warmup") < 80, `${count("warmup")}: it began before the requests`);
  assert.ok(Math.abs(count("compare") - 100) <= 2, `${count("compare")}`);
});

test("errs_when_the_way_to_the_pods_breaks_again_and_again", async ({ cluster }) => {
  await cluster.add("canary", "canary-1", good);
  await cluster.add("stable", "stable-1", good);
  const away = setInterval(() => {
    void cluster.break("canary-1", "error: lost connection to pod\n");
  }, 100);
  const found = await look(cluster, {}).finally(() => {
    clearInterval(away);
  });
  assert.is(found.outcome, "errored", found.why);
  assert.match(found.why, "the way to the pods broke");
});

test("counts_it_against_the_canary_when_its_pod_takes_no_connection", async ({ cluster }) => {
  await cluster.add("canary", "canary-1", good);
  await cluster.add("stable", "stable-1", good);
  // Nothing listens where the pod should.
  await writeFile(`${cluster.folder}/canary-1.port`, "9");
  const found = await look(cluster, {});
  assert.is(found.outcome, "failed", found.why);
  assert.is(measure(found, "success").outcome, "failed");
});

test("fails_on_a_restart_and_on_a_pod_that_is_not_ready_at_the_end", async ({ cluster }) => {
  let asked = 0;
  await cluster.add("canary", "canary-1", (request, response) => {
    if (++asked === 60) void cluster.show("canary", "canary-1", { ready: false, restarts: 1 });
    good(request, response);
  });
  await cluster.add("stable", "stable-1", good);
  const found = await look(cluster, {});
  assert.is(measure(found, "restarts").outcome, "failed");
  assert.is(measure(found, "readiness").outcome, "failed");
});

test("errs_without_a_cluster_and_fails_without_a_ready_pod", async ({ cluster }) => {
  assert.is((await look(cluster, {})).outcome, "errored");
  await cluster.add("canary", "canary-1", good);
  await cluster.add("stable", "stable-1", good);
  await cluster.show("canary", "canary-1", { ready: false });
  const found = await look(cluster, {});
  assert.is(found.outcome, "failed");
  assert.match(found.why, "canary-1 is not ready");
});

test("holds_a_load_test_to_its_thresholds", async ({ cluster }) => {
  await cluster.add("canary", "canary-1", slow(60));
  // Few enough that a full machine makes them all: less than that is another answer, inconclusive.
  const load = ["analysis.load.rate=10", "analysis.load.duration=6"];
  const set = ["analysis.rate=10", "analysis.minimum=40", ...load];
  const found = await look(cluster, {
    set: [...set, "analysis.load.p95=20"],
    stable: false,
    load: true,
  });
  assert.is(measure(found, "load success").outcome, "passed");
  assert.is(measure(found, "load latency p95").outcome, "failed");
  const well = await look(cluster, {
    set: [...set, "analysis.load.p95=2000"],
    stable: false,
    load: true,
  });
  assert.is(well.outcome, "passed", well.why);
});

test.run();
