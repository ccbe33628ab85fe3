import { suite } from "uvu";
import * as assert from "uvu/assert";

import { clientPod, countsText, readCounts } from "../../../src/core/demo/client.js";

const test = suite("client of the demo");

test("reads_what_the_client_said_last", () => {
  const log = '{"requests": 3, "failed": 0}\n{"requests": 9, "failed": 2}\n';
  assert.equal(readCounts(log), { requests: 9, failed: 2 });
});

test("fails_with_the_clients_own_words_when_it_does_not_count", () => {
  assert.throws(() => readCounts("KeyError: 'IRIS_SERVICE_HOST'\n"), /does not count: KeyError/);
  assert.throws(() => readCounts('{"requests": "many", "failed": 0}'), /does not count/);
  assert.throws(() => readCounts(""), /it said nothing/);
});

test("counts_what_came_between", () => {
  const text = countsText({ requests: 100, failed: 1 }, { requests: 300, failed: 11 });
  assert.is(text, "The client sent 200 requests; 10 failed (5.0 %).");
  const none = { requests: 5, failed: 0 };
  assert.is(countsText(none, none), "The client sent 0 requests; none failed.");
});

test("is_a_pod_that_the_service_does_not_select", () => {
  const { metadata, spec } = clientPod("iris", "registry.example/iris@sha256:0");
  assert.is(metadata.labels, undefined);
  assert.match(JSON.stringify(spec), '"SERVICE","value":"iris"');
});

test.run();
