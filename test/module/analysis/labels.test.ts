import { suite } from "uvu";
import * as assert from "uvu/assert";

import { labelsOf } from "../../../src/stages/delivery/pods.js";

const test = suite("labels of the pods of an analysis");

test("looks_at_the_pods_of_stable_when_the_promoted_release_is_watched", () => {
  const name = "orders";
  assert.equal(labelsOf({ name, canary: name }), { canary: "stable" });
  const both = { canary: "canary", stable: "stable" };
  assert.equal(labelsOf({ name, canary: "orders-canary", stable: name }), both);
});

test.run();
