// Deployments on a real cluster, through a real gateway, while a client never stops asking.
import { setTimeout as sleep } from "node:timers/promises";

import { suite } from "uvu";
import * as assert from "uvu/assert";

import type { QueryError } from "../../ci/cli/session/query.js";
import { startCluster } from "../../ci/sandbox/cluster/cluster.js";
import { leaseName } from "../../src/core/delivery/lease.js";
import { Delivered } from "./support/delivery.js";
import { programImages } from "./support/programs.js";
import { scratch } from "./support/project.js";
import { openSession } from "./support/session.js";

await programImages();
const folder = await scratch();
const cluster = await startCluster();
const session = await openSession();
await session.serve();
const iris = await Delivered.make(session, cluster, folder.path, "delivery");

const test = suite("delivery");
test.after(async () => {
  await iris.close();
  await session.close();
  await cluster.stop();
  await folder.forget();
});

test("deploys_the_first_release_without_a_canary_and_says_so", async () => {
  const told = await iris.call("deploy", { reference: await iris.image("v1"), by: "ada" });
  assert.is(told.release, 1);
  assert.is(told.state, "live");
  assert.match(session.printed(), /release 1 goes without a canary: it is the first one/);
  await iris.isClean();
  iris.ask();
});

test("brings_a_release_to_all_requests_step_by_step", async () => {
  const told = await iris.call("deploy", { reference: await iris.image("v2") });
  assert.match(told.table, /10 %: passed[\s\S]*50 %: passed[\s\S]*100 %: passed/);
  const { releases } = await iris.look();
  assert.equal(releases, { 1: "superseded", 2: "live" });
  await iris.isClean();
  const counts = iris.noneFailed("v1", "v2");
  assert.ok((counts.releases.v1 ?? 0) > 0 && (counts.releases.v2 ?? 0) > 0);
});

test("does_nothing_when_that_image_is_live_already", async () => {
  const told = await iris.call("deploy", { reference: await iris.image("v2") });
  assert.is(told.release, 2);
  assert.equal((await iris.look()).releases, { 1: "superseded", 2: "live" });
});

test("takes_back_a_canary_that_crashes_and_shows_its_last_words", async () => {
  const { generation } = await iris.look();
  const { code, text } = await iris.refused("deploy", { reference: await iris.image("crash") });
  assert.is(code, 1, text);
  assert.match(text, /release 3 of iris failed and was taken back/);
  assert.match(text, /CrashLoopBackOff/);
  assert.match(text, /last lines of iris-canary-.*\n.*the model file is damaged/);
  const there = await iris.look();
  assert.is(there.generation, generation, "stable was touched");
  assert.is(there.releases[3], "failed");
  await iris.isClean();
  iris.noneFailed("v2");
});

test("takes_back_a_canary_that_answers_with_errors", async () => {
  const { code, text } = await iris.refused("deploy", { reference: await iris.image("errors-50") });
  assert.is(code, 1, text);
  assert.match(text, /analysis at 10 % failed/);
  await iris.isClean();
  iris.noneFailed("v2");
});

test("refuses_an_image_that_nobody_signed_before_it_touches_anything", async () => {
  const before = await iris.look();
  const reference = (await iris.image("v1")).replace(/.$/, (last) => (last === "0" ? "1" : "0"));
  const { code, text } = await iris.refused("deploy", { reference });
  assert.is(code, 2, text);
  assert.match(text, /Nothing was changed: the image .* is not verified/);
  assert.equal(await iris.look(), before);
  const lease = ["get", "lease", leaseName("iris"), "--namespace=delivery"];
  const holder = await cluster.kubectl([...lease, "--output=jsonpath={.spec.holderIdentity}"]);
  assert.is(holder, "", "the next run need not wait");
});

test("stops_when_somebody_aborts_it_and_leaves_everything_to_them", async () => {
  const deploying = iris.refused("deploy", { reference: await iris.image("v1") });
  while ((await iris.look()).weights["iris-canary"] !== 10) await sleep(100);
  const aborted = await iris.call("abort", { by: "ada" });
  assert.match(aborted.table, /aborted/);
  const { code, text } = await deploying;
  assert.is(code, 3, text);
  assert.match(text, /was taken over by .*: this run has stopped and left everything to it/);
  assert.not.match(text, /failed and was taken back/);
  await iris.isClean();
  iris.noneFailed("v1", "v2");
});

test("waits_with_a_canary_until_somebody_says_yes", async () => {
  const reference = await iris.image("v1");
  const told = await iris.call("deployCanary", { reference });
  assert.is(told.state, "waiting");
  assert.equal((await iris.look()).weights, { iris: 50, "iris-canary": 50 });
  const again = await iris.refused("deploy", { reference });
  assert.is(again.code, 2);
  assert.match(again.text, /the canary of release \d+ waits/);
  const other = await iris.refused("promote", { digest: `sha256:${"0".repeat(64)}` });
  assert.is(other.code, 2);
  assert.match(other.text, /not with sha256:0000/);
  const promoted = await iris.call("promote", { digest: reference });
  assert.is(promoted.state, "live");
  await iris.isClean();
  iris.noneFailed("v1", "v2");
});

test("refuses_to_promote_a_canary_that_somebody_changed", async () => {
  await iris.call("deployCanary", { reference: await iris.image("v2") });
  await cluster.kubectl([
    ...["set", "env", "deployment/iris-canary", "A=b", "--namespace", iris.namespace],
  ]);
  const { code, text } = await iris.refused("promote");
  assert.is(code, 2);
  assert.match(text, /somebody changed the canary/);
  const { state } = await iris.call("abort", { by: "ada" });
  assert.is(state, "aborted");
  await iris.isClean();
  iris.noneFailed("v1", "v2");
});

test("goes_back_to_the_last_good_release_and_then_no_further_than_there_are_any", async () => {
  const told = await iris.call("rollback");
  assert.match(told.table, /back to +release 2/);
  await iris.isClean();
  const { weights } = await iris.look();
  assert.equal(Object.keys(weights), ["iris"]);
  iris.noneFailed("v1", "v2");
  const again = await iris.refused("rollback", { targetTag: `${told.release}` });
  assert.is(again.code, 2);
  assert.match(again.text, /Nothing was rolled back: release \d+ .* is what is live/);
});

test("lets_one_deployment_in_and_refuses_the_other", async () => {
  const reference = await iris.image("v1");
  const both = await Promise.allSettled([
    iris.call("deploy", { reference, by: "ada" }),
    iris.call("deploy", { reference, by: "bob" }),
  ]);
  const done = both.filter(({ status }) => status === "fulfilled");
  const refused = both.filter((each) => each.status === "rejected");
  assert.is(done.length, 1);
  const { extensions = {} } = (refused[0]?.reason ?? {}) as Partial<QueryError>;
  assert.is(extensions.exitCode, 2);
  assert.match(String(extensions.stderr), /another deployment of iris is in progress \((ada|bob)/);
  await iris.isClean();
  iris.noneFailed("v1", "v2");
});

test("finishes_what_a_killed_client_left_by_taking_it_back", async () => {
  const reference = await iris.image("v2");
  await iris.killed("deploy", { reference }, ({ weights }) => (weights["iris-canary"] ?? 0) > 0);
  const { state } = await iris.call("abort");
  assert.is(state, "aborted");
  await iris.isClean();
  iris.noneFailed("v1", "v2");
});

test("tells_what_is_there_and_what_was", async () => {
  const { state, table } = await iris.call("status");
  assert.is(state, "healthy", table);
  const { table: rows } = await iris.call("history");
  assert.match(rows, /^\d+ +live /m);
  assert.match(rows, /^3 +failed /m);
  assert.match(rows, /^1 +superseded .* ada/m);
});

test.run();
