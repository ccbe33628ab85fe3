import { suite } from "uvu";
import * as assert from "uvu/assert";

import { deploy } from "../../../src/core/config/deploy.js";
import { atOnce, renumbered, stableObjects } from "../../../src/core/delivery/changes.js";
import { objectsOf } from "../../../src/core/delivery/objects/index.js";
import { shareText, stepsBeforeApproval, stepsOf } from "../../../src/core/delivery/steps.js";
import { leftBehind } from "../../../src/core/delivery/run.js";
import { imageOf, objectOf, releaseOf } from "./releases.js";

const test = suite("steps of a delivery");

test("gives_exact_weights_through_a_gateway_and_as_many_pods_as_they_need", () => {
  const config = deploy.parse({ route: { gateway: "web", header: "X-Canary=yes" } });
  assert.equal(
    stepsOf(config, 4).map(({ weight, percent, replicas, exposed }) => [
      weight,
      percent,
      replicas,
      exposed,
    ]),
    [
      [10, 10, 1, true],
      [50, 50, 2, true],
      [100, 100, 4, false],
    ],
  );
});

test("tells_the_real_share_where_whole_pods_are_the_weights", () => {
  const [first] = stepsOf(deploy.parse({}), 2);
  assert.ok(first);
  assert.is(first.percent, 33.33);
  assert.is(shareText(first), "10 % (really 33.33 %, by whole pods)");
  assert.is(shareText({ weight: 50, percent: 50 }), "50 %");
});

test("previews_in_full_size_without_requests_when_it_is_blue_green", () => {
  const config = deploy.parse({ strategy: "blue-green", route: { gateway: "web" } });
  assert.equal(
    stepsOf(config, 3).map(({ weight, replicas, analysis }) => [weight, replicas, analysis]),
    [
      [0, 3, true],
      [100, 3, false],
    ],
  );
});

test("waits_for_a_yes_before_everything_goes_there", () => {
  const steps = [{ weight: 10 }, { weight: 50 }, { weight: 100 }];
  assert.is(stepsBeforeApproval(steps, undefined), 2);
  assert.is(stepsBeforeApproval(steps, 10), 1);
  assert.is(stepsBeforeApproval(steps, 100), 3);
  assert.is(stepsBeforeApproval(steps, 1), 1, "one step at least");
  assert.is(stepsBeforeApproval([{ weight: 100 }], undefined), 1);
});

test("numbers_a_release_anew_wherever_its_number_stands", () => {
  const objects = objectsOf({
    ...{ name: "iris", namespace: "default", image: imageOf("a"), release: 5, port: 8000 },
    ...{ config: deploy.parse({}), healthcheck: "/healthz", user: 1, annotations: {} },
    environment: { RELEASE: "5" },
  });
  const again = renumbered(objects, 9);
  const text = JSON.stringify(again);
  assert.not.match(text, /"slipway\.dev\/release":"5"/);
  assert.is(
    text.match(/"slipway\.dev\/release":"9"/g)?.length,
    JSON.stringify(objects).match(/"slipway\.dev\/release":"5"/g)?.length,
  );
  assert.match(text, /"name":"RELEASE","value":"5"/, "what is the service's own stays");
});

test("brings_all_pods_back_at_once_and_never_has_fewer", () => {
  const [deployment] = atOnce([objectOf("Deployment", "iris", { spec: { replicas: 2 } })], "iris");
  assert.equal((deployment?.spec as { strategy: object }).strategy, {
    type: "RollingUpdate",
    rollingUpdate: { maxUnavailable: 0, maxSurge: "100%" },
  });
  const other = objectOf("Deployment", "other", { spec: {} });
  assert.equal(atOnce([other], "iris"), [other]);
});

test("leaves_a_deployment_alone_that_is_of_the_release_already", () => {
  const objects = [objectOf("Deployment", "iris"), objectOf("Job", "a")];
  const release = releaseOf(3, { objects });
  const shares = { weight: 0, exposed: false, leftovers: false };
  const kinds = (number: number): string[] => {
    const stable = { ...{ release: number, image: "", generation: 1, replicas: 6 }, available: 6 };
    const seen = { ...shares, stable: { ...stable, complete: true } };
    return stableObjects(release, seen).map(({ kind }) => kind);
  };
  assert.equal(kinds(3), ["Job"]);
  assert.equal(kinds(2), ["Deployment", "Job"]);
});

test("finds_objects_that_nobody_has_any_more", () => {
  const [kept, gone] = [objectOf("Service", "iris"), objectOf("ConfigMap", "old")];
  const before = releaseOf(1, { objects: [kept, gone] });
  assert.equal(leftBehind(before, releaseOf(2, { objects: [kept] })), [gone]);
  assert.equal(leftBehind(undefined, before), []);
  const claim = releaseOf(1, { objects: [kept, objectOf("PersistentVolumeClaim", "data")] });
  assert.equal(leftBehind(claim, releaseOf(2, { objects: [kept] })), [], "its content would go");
});

test.run();
