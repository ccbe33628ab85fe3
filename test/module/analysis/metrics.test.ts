// Metrics that are asked for while load.py makes its requests.
import { readFile } from "node:fs/promises";
import { suite } from "uvu";
import * as assert from "uvu/assert";

import { good, localCluster, type LocalCluster } from "./cluster.js";
import { look, measure } from "./look.js";

const test = suite<{ cluster: LocalCluster }>("metrics of a look");
test.before.each(async (context) => {
  context.cluster = await localCluster();
});
test.after.each(async ({ cluster }) => {
  await cluster.close();
});

test("asks_for_metrics_of_both_versions_while_requests_are_made", async ({ cluster }) => {
  await cluster.add("canary", "canary-1", good);
  await cluster.add("stable", "stable-1", good);
  await cluster.add("metrics", "metrics-1", (request, response) => {
    const url = new URL(request.url ?? "", "http://metrics");
    const value = { canary: 12, stable: 3 }[url.searchParams.get("track") ?? ""];
    response.statusCode = url.pathname === "/broken" ? 503 : 200;
    response.end(JSON.stringify({ errors: url.pathname === "/empty" ? null : value }));
  });
  const port = await readFile(`${cluster.folder}/metrics-1.port`, "utf8");
  const query = (path: string, more: object): object => ({
    name: path,
    url: `http://127.0.0.1:${port}/${path}?track={{track}}&of={{name}}`,
    value: "$.errors",
    ...more,
  });
  const queries = [
    query("high", { maximum: 5 }),
    query("worse", { margin: 10 }),
    query("fine", { maximum: 20 }),
    query("empty", { maximum: 5 }),
    query("broken", { maximum: 5 }),
  ];
  const found = await look(cluster, { set: [`analysis.queries=${JSON.stringify(queries)}`] });
  assert.equal(
    ["high", "worse", "fine", "empty", "broken"].map((name) => measure(found, name).outcome),
    ["failed", "failed", "passed", "inconclusive", "errored"],
    JSON.stringify(found.measures, undefined, 1),
  );
});

test("asks_for_no_metrics_after_the_comparison_however_slow_they_are", async ({ cluster }) => {
  await cluster.add("canary", "canary-1", good);
  let asked = 0;
  await cluster.add("metrics", "metrics-1", (_, response) => {
    asked++;
    setTimeout(() => response.end("3"), 2000);
  });
  const port = await readFile(`${cluster.folder}/metrics-1.port`, "utf8");
  const queries = [{ name: "slow", url: `http://127.0.0.1:${port}/`, maximum: 5 }];
  const found = await look(cluster, {
    set: [`analysis.queries=${JSON.stringify(queries)}`],
    stable: false,
  });
  assert.ok(asked <= 2, `asked ${asked} times`);
  assert.is(measure(found, "slow").outcome, "inconclusive");
  assert.match(
    found.why,
    /answered only [12] times? while requests were made, 5 numbers are needed/,
  );
});

test.run();
