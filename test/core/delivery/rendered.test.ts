import { suite } from "uvu";
import * as assert from "uvu/assert";
import { readRendered } from "../../../src/core/delivery/rendered.js";
import { raises } from "../raises.js";

const test = suite("rendered manifests");

const map = {
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "a" },
  data: { x: "{\n}\n{" },
};

test("reads_objects_that_stand_one_after_another", () => {
  const text = [map, map].map((each) => `${JSON.stringify(each, null, 4)}\n`).join("");
  assert.equal(readRendered(text), [map, map]);
  assert.equal(readRendered("\n"), []);
});

test("refuses_an_object_without_a_name", () => {
  const object = { ...map, metadata: { generateName: "a-" } };
  assert.match(
    raises("CONFIG", () => readRendered(JSON.stringify(object))),
    /\(ConfigMap\) has no metadata\.name/,
  );
});

test.run();
