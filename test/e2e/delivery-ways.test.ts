// Other ways to the cluster than a canary by a gateway's weights.
import { suite } from "uvu";
import * as assert from "uvu/assert";

import { startCluster } from "../../ci/sandbox/cluster/cluster.js";
import { Delivered } from "./support/delivery.js";
import { scratch } from "./support/project.js";
import { openSession } from "./support/session.js";

const folder = await scratch();
const cluster = await startCluster();
const session = await openSession();
await session.serve();

const test = suite("ways of a delivery");
test.after(async () => {
  await session.close();
  await cluster.stop();
  await folder.forget();
});

test("weighs_by_whole_pods_without_a_gateway_and_tells_the_real_share", async () => {
  const iris = await Delivered.make(session, cluster, folder.path, "pods", {
    gateway: false,
    deploy: "steps = [{ weight = 10 }, { weight = 100 }]",
  });
  await iris.call("deploy", { reference: await iris.image("v1") });
  const { state } = await iris.call("deployCanary", { reference: await iris.image("v2") });
  assert.is(state, "waiting");
  assert.match(session.printed(), /10 % \(really 33\.33 %, by whole pods\) of the requests/);
  const selector = await cluster.kubectl([
    ...["get", "service", "iris", "--namespace=pods", "--output=jsonpath={.spec.selector}"],
  ]);
  assert.not.match(selector, /track/, "the Service selects the pods of both");
  await iris.call("promote");
  await iris.isClean();
  assert.equal((await iris.look()).releases, { 1: "superseded", 2: "live" });
});

test("previews_and_switches_when_it_is_blue_green", async () => {
  const iris = await Delivered.make(session, cluster, folder.path, "colours", {
    deploy: 'strategy = "blue-green"',
    route: 'header = "X-Preview=yes"',
  });
  await iris.call("deploy", { reference: await iris.image("v1") });
  iris.ask();
  await iris.call("deployCanary", { reference: await iris.image("v2") });
  const counts = iris.noneFailed("v1");
  assert.is(counts.releases.v2, undefined, "the preview got requests");
  assert.is(await iris.answering({ "x-preview": "yes" }), "v2");
  assert.is(await iris.answering({}), "v1");
  await iris.call("promote");
  iris.noneFailed("v1", "v2");
  await iris.isClean();
  await iris.close();
});

test("watches_a_release_and_rolls_it_back_when_it_begins_to_fail", async () => {
  const iris = await Delivered.make(session, cluster, folder.path, "watched", {
    deploy: "steps = [{ weight = 100, analysis = false }]",
  });
  await iris.call("deploy", { reference: await iris.image("v1") });
  await iris.call("deploy", { reference: await iris.image("errors-50") });
  const { code, text } = await iris.refused("watch", { seconds: 60 });
  assert.is(code, 1, text);
  assert.match(text, /^release 2 of iris failed and was taken back$/m);
  assert.match(text, /failed while it was watched: success: /);
  assert.match(text, /^release 3 of iris is live$/m);
  assert.equal((await iris.look()).releases, { 1: "superseded", 2: "rolled-back", 3: "live" });
  await iris.isClean();
});

test.run();
