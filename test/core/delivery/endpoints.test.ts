import { suite } from "uvu";
import * as assert from "uvu/assert";

import {
  leadsToItsPods,
  type PodSeen,
  type SliceSeen,
} from "../../../src/core/delivery/endpoints.js";
import { selectorOf } from "../../../src/core/delivery/objects/index.js";
import { observe } from "../../../src/core/delivery/observe.js";

const test = suite("endpoints");

const labels = selectorOf("iris", "stable");
const service = { metadata: { name: "iris" }, spec: { selector: labels } };
const pod = (name: string, ready = true): PodSeen => ({ name, labels, ready });
const slice = (names: readonly string[], more: Partial<SliceSeen> = {}): SliceSeen => ({
  metadata: { labels: { "kubernetes.io/service-name": "iris" } },
  addressType: "IPv4",
  endpoints: names.map((name) => ({ conditions: { ready: true }, targetRef: { name } })),
  ...more,
});
const leads = (pods: readonly PodSeen[], ...slices: readonly SliceSeen[]): boolean =>
  leadsToItsPods(service, pods, slices);

test("is_so_when_the_slices_name_just_the_ready_pods", () => {
  assert.ok(leads([pod("a"), pod("b")], slice(["b", "a"])));
  assert.ok(leads([pod("a"), pod("b")], slice(["a"]), slice(["b"])), "a slice holds 100");
  assert.ok(leads([pod("a"), pod("b", false)], slice(["a"])));
  assert.ok(leads([], slice([])));
  assert.ok(leads([]), "a Service without pods has no slice yet");
});

test("is_not_so_while_a_pod_that_is_gone_is_named_or_a_new_one_is_not", () => {
  assert.not(leads([pod("b")], slice(["a", "b"])));
  assert.not(leads([pod("a"), pod("b")], slice(["a"])));
  assert.not(leads([pod("a")], slice(["b"])));
  assert.not(leads([pod("a")]));
});

test("does_not_count_what_a_slice_calls_unready", () => {
  const ending = { conditions: { ready: false }, targetRef: { name: "a" } };
  const known = { targetRef: { name: "b" } };
  assert.ok(leads([pod("b")], slice([], { endpoints: [ending, known] })));
});

test("looks_at_each_family_of_addresses", () => {
  const pods = [pod("a"), pod("b")];
  const behind = slice(["a"], { addressType: "IPv6" });
  assert.not(leads(pods, slice(["a", "b"]), behind));
  assert.ok(leads(pods, slice(["a", "b"]), slice(["a", "b"], { addressType: "IPv6" })));
});

test("looks_at_the_services_own_pods_and_slices", () => {
  const canary: PodSeen = { name: "c", labels: selectorOf("iris", "canary"), ready: true };
  const other = slice(["c"], { metadata: { labels: { "kubernetes.io/service-name": "more" } } });
  assert.ok(leads([pod("a"), canary], slice(["a"]), other));
});

test("takes_a_service_at_its_word_that_selects_otherwise", () => {
  const others = { metadata: { name: "iris" }, spec: { selector: { app: "iris" } } };
  assert.ok(leadsToItsPods(others, [pod("a")], []));
  const spec = { ...service.spec, publishNotReadyAddresses: true };
  assert.ok(leadsToItsPods({ ...service, spec }, [pod("a")], []));
  assert.ok(leadsToItsPods(undefined, [pod("a")], []));
});

test("a_deployment_is_not_complete_before_its_service_leads_to_its_pods", () => {
  const status = { replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1 };
  const conditions = [{ type: "Ready", status: "True" }];
  const objects = (named: string): object[] => [
    { kind: "Deployment", metadata: { name: "iris", labels }, spec: { replicas: 1 }, status },
    { kind: "Service", metadata: { name: "iris", labels }, spec: service.spec },
    { kind: "Pod", metadata: { name: "a", labels }, status: { conditions } },
    { kind: "EndpointSlice", ...slice([named]) },
  ];
  assert.ok(observe("iris", objects("a")).stable?.complete);
  assert.not(observe("iris", objects("b")).stable?.complete);
});

test.run();
