import { suite } from "uvu";
import * as assert from "uvu/assert";
import { canaryOf, objectsOf } from "../../../../src/core/delivery/objects/index.js";
import { gatewayFinding } from "../../../../src/core/delivery/validation/gateway.js";
import {
  demandOf,
  podsNeeded,
  quantity,
  quotaFinding,
} from "../../../../src/core/delivery/validation/quota.js";
import {
  reviews,
  rightsFinding,
  rightsNeeded,
  rulesOf,
} from "../../../../src/core/delivery/validation/rights.js";
import {
  emergencyFindings,
  podFinding,
  trialFindings,
  trialPod,
} from "../../../../src/core/delivery/validation/trial.js";
import {
  foreignFinding,
  leaseFinding,
  passageFindings,
  releasesFinding,
} from "../../../../src/core/delivery/validation/progress.js";
import { questions } from "../../../../src/core/delivery/validation/questions.js";
import type { Observation, ReleaseRecord } from "../../../../src/core/delivery/types.js";
import { inputs } from "../objects/inputs.js";
import { releaseOf } from "../releases.js";
import { answered, AWAY, FORBIDDEN, refused } from "./said.js";

const test = suite("findings of the cluster");

const objects = objectsOf(inputs({ route: { gateway: "edge/web" } }));
const [canary] = canaryOf(objects, { name: "iris", release: 1, replicas: 2 });
if (!canary) throw new Error("no canary");

/** What comes of reviews, each allowed or not. */
const reviewed = (allowed: (verb: string, resource: string) => boolean): string => {
  const items = reviews(rightsNeeded(objects), "shop") as {
    spec: { resourceAttributes: { verb: string; resource: string } };
  }[];
  return items
    .map((item) => {
      const { verb, resource } = item.spec.resourceAttributes;
      const status = { allowed: allowed(verb, resource) };
      return `${JSON.stringify({ ...item, metadata: {}, status })}\n`;
    })
    .join("");
};

test("tells_every_right_that_is_missing", () => {
  const rights = rightsNeeded(objects);
  assert.ok(rightsFinding(rights, answered(reviewed(() => true))).ok);
  const partly = reviewed((verb, resource) => verb !== "delete" && resource !== "leases");
  const { ok, found } = rightsFinding(rights, answered(partly));
  assert.not.ok(ok);
  assert.match(found, "delete deployments.apps");
  assert.match(found, "get/create/patch leases.coordination.k8s.io");
  assert.not.match(found, "events");
});

test("counts_a_right_without_an_answer_as_missing", () => {
  const rights = rightsNeeded(objects);
  assert.not.ok(rightsFinding(rights, answered("")).ok);
  const some = reviewed(() => true).split(/^(?=\{)/m);
  assert.not.ok(rightsFinding(rights, answered(some.slice(1).join(""))).ok);
  assert.not.ok(rightsFinding(rights, FORBIDDEN).ok);
  assert.not.ok(rightsFinding(rights, undefined).ok);
});

test("asks_for_rights_on_what_is_deployed_and_no_more", () => {
  const resources = (kinds: string[]): string[] =>
    rulesOf(rightsNeeded(kinds.map((kind) => ({ kind })))).flatMap((rule) => rule.resources);
  assert.not.ok(resources([]).includes("httproutes"));
  assert.ok(resources(["HTTPRoute"]).includes("httproutes"));
  assert.is(new Set(resources(["Service", "Service"])).size, resources(["Service"]).length);
});

test("asks_to_delete_all_that_it_applies", () => {
  const rules = rulesOf(rightsNeeded([...objects, { kind: "CronJob" }]));
  const applied = rules.filter(({ verbs }) => verbs.includes("patch"));
  const kept = applied.filter(({ verbs }) => !verbs.includes("delete"));
  assert.equal(
    kept.flatMap(({ resources }) => resources),
    ["leases"],
  );
  assert.ok(applied.some(({ resources }) => resources.includes("poddisruptionbudgets")));
});

const names = objects.map(({ metadata }) => `x/${metadata.name}`).join("\n");

test("accepts_objects_only_when_each_of_them_was_accepted", () => {
  assert.equal(
    trialFindings(objects, answered(names)).map(({ ok }) => ok),
    [true],
  );
  const fewer = trialFindings(objects.slice(1), answered(names));
  assert.not.ok(fewer[0]?.ok);
  assert.not.ok(trialFindings(objects, undefined)[0]?.ok);
  assert.not.ok(trialFindings(objects, refused(""))[0]?.ok);
});

const CONFLICT = `Apply failed with 1 conflict: conflict with "other": .spec.replicas
Please review the fields above--they currently have other managers. Here
are the ways you can resolve this warning:
* If you intend to manage all of these fields, please re-run the apply
  command with the \`--force-conflicts\` flag.
See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts
Error from server (Invalid): Service "iris" is invalid: spec.ports[0].port: Invalid value: 99999: must be between 1 and 65535, inclusive
`;

test("stops_nothing_in_an_emergency_but_what_is_refused_for_certain", () => {
  const found = (said: typeof AWAY) => emergencyFindings(objects, said).map(({ ok }) => ok);
  assert.equal(found(answered(names)), [true]);
  assert.equal(found(refused(CONFLICT)), [false, false]);
  assert.equal(found(FORBIDDEN), [false]);
  const webhook = "Error from server (InternalError): failed calling webhook: no endpoints\n";
  for (const said of [AWAY, undefined, refused(""), refused(webhook)]) {
    const [first] = emergencyFindings(objects, said);
    assert.ok(first?.ok && first.warning, JSON.stringify(said));
  }
  // What is certain is not hidden behind what is not.
  const both = emergencyFindings(objects, refused(webhook + CONFLICT));
  assert.ok(both.some(({ ok, found: text }) => !ok && text.includes('"other" sets')));
});

test("tells_each_refusal_once_and_names_the_owner_of_a_field", () => {
  const found = trialFindings(objects, refused(CONFLICT));
  assert.is(found.length, 2);
  assert.match(found[0]?.found ?? "", /"other" sets \.spec\.replicas/);
  assert.not.match(found[0]?.found ?? "", "force-conflicts");
  assert.match(found[1]?.found ?? "", /Service "iris" is invalid: spec\.ports/);
  const gone = 'Error from server (NotFound): namespaces "gone" not found\n'.repeat(8);
  assert.is(trialFindings(objects, refused(gone)).length, 1);
  const kind = 'unable to recognize no matches for kind "Foo" in version "example.com/v1"\n';
  assert.match(trialFindings(objects, refused(kind))[0]?.found ?? "", 'kind "Foo"');
});

test("tells_the_warnings_of_the_api_server", () => {
  const said = { exitCode: 0, stdout: names, stderr: 'Warning: would violate PodSecurity "r"\n' };
  const [, warning] = trialFindings(objects, said);
  assert.ok(warning?.ok && warning.warning);
  assert.match(warning.found, "would violate PodSecurity");
});

test("fails_when_policies_would_refuse_the_pods", () => {
  const pod = trialPod(canary);
  assert.equal([pod.kind, pod.metadata.name], ["Pod", "iris-canary-trial"]);
  assert.ok(podFinding(answered("pod/x")).ok);
  for (const why of ['violates PodSecurity "restricted:latest"', "exceeded quota: q"]) {
    const said = `Error from server (Forbidden): error when creating "STDIN": pods "x" is forbidden: ${why}`;
    const { ok, found } = podFinding(refused(said));
    assert.not.ok(ok);
    assert.match(found, why);
  }
  const right =
    'Error from server (Forbidden): User "u" cannot create resource "pods" in API group';
  assert.ok(podFinding(refused(right)).warning);
  assert.not.ok(podFinding(AWAY).ok);
});

const gateway = (from: string, more: object = {}, conditions: object[] = []) =>
  answered({
    metadata: { namespace: "edge" },
    spec: {
      listeners: [
        { name: "http", protocol: "HTTP", allowedRoutes: { namespaces: { from } }, ...more },
      ],
    },
    status: {
      conditions: [
        { type: "Accepted", status: "True" },
        { type: "Programmed", status: "True" },
        ...conditions,
      ],
    },
  });
const wanted = { gateway: "edge/web", namespace: "shop", hostnames: [] as string[] };

test("takes_a_gateway_that_works_and_lets_the_route_in", () => {
  assert.ok(gatewayFinding(wanted, gateway("All")).ok);
  assert.ok(gatewayFinding(wanted, gateway("Selector")).ok);
  assert.ok(gatewayFinding({ ...wanted, namespace: "edge" }, gateway("Same")).ok);
  assert.match(gatewayFinding(wanted, gateway("Same")).found, "takes routes of namespace shop");
  assert.not.ok(gatewayFinding(wanted, gateway("All", { protocol: "TCP" })).ok);
});

test("fails_for_a_gateway_that_does_not_work", () => {
  const bad = { type: "Programmed", status: "False", message: "no address" };
  assert.match(
    gatewayFinding(wanted, gateway("All", {}, [bad])).found,
    /not Programmed: no address/,
  );
  const orphan = answered({ metadata: {}, spec: {}, status: { conditions: [] } });
  assert.match(gatewayFinding(wanted, orphan).found, /not accepted by any controller/);
  assert.match(
    gatewayFinding(wanted, refused('Error from server (NotFound): gateways "web" not found')).found,
    /there is no Gateway edge\/web/,
  );
  const unknown = `error: the server doesn't have a resource type "gateways"`;
  assert.match(gatewayFinding(wanted, refused(unknown)).found, /does not know the Gateway API/);
  assert.ok(gatewayFinding(wanted, FORBIDDEN).warning);
  assert.not.ok(gatewayFinding(wanted, undefined).ok);
});

test("compares_host_names_with_those_of_the_listeners", () => {
  const on = (hostname: string, host: string): boolean =>
    gatewayFinding({ ...wanted, hostnames: [host] }, gateway("All", { hostname })).ok;
  assert.ok(on("*.example", "iris.example"));
  assert.ok(on("iris.example", "iris.example"));
  assert.ok(on("", "any.example"));
  assert.not.ok(on("*.example", "iris.other"));
  assert.not.ok(on("a.example", "b.example"));
});

test("reads_quantities", () => {
  assert.equal(["250m", "1", "1Ki", "1.5Gi", "2k", "1e3"].map(quantity), [
    0.25,
    1,
    1024,
    1.5 * 2 ** 30,
    2000,
    1000,
  ]);
  assert.ok(Number.isNaN(quantity("lots")));
});

const quota = (hard: Record<string, string>, used: Record<string, string> = {}, spec = {}) =>
  answered({ items: [{ metadata: { name: "q" }, spec, status: { hard, used } }] });

test("fails_when_a_quota_leaves_no_room_for_the_canary", () => {
  const demand = demandOf(canary, 2);
  assert.ok(quotaFinding(demand, answered({ items: [] })).ok);
  assert.ok(quotaFinding(demand, quota({ pods: "4" }, { pods: "2" })).ok);
  assert.match(
    quotaFinding(demand, quota({ pods: "3" }, { pods: "2" })).found,
    /q: pods 2 of 3 used, 2 more needed/,
  );
  assert.ok(quotaFinding(demand, quota({ "requests.cpu": "200m" })).ok);
  assert.not.ok(quotaFinding(demand, quota({ "requests.cpu": "199m" })).ok);
  assert.not.ok(quotaFinding(demand, quota({ cpu: "100m" })).ok);
  assert.match(
    quotaFinding(demand, quota({ "limits.memory": "1Gi" }, { "limits.memory": "1Mi" })).found,
    "1024Mi more",
  );
  assert.ok(quotaFinding(demand, quota({ pods: "0" }, {}, { scopes: ["BestEffort"] })).ok);
  assert.ok(quotaFinding(demand, FORBIDDEN).warning);
  assert.not.ok(quotaFinding(demand, AWAY).ok);
});

test("counts_the_pods_when_there_are_most_of_them", () => {
  assert.is(podsNeeded({ stable: 4, canary: 4, isFirst: false }), 5);
  assert.is(podsNeeded({ stable: 4, canary: 1, isFirst: true }), 4);
});

const lease = (holderIdentity: string, resourceVersion = "1") =>
  answered({ metadata: { resourceVersion }, spec: { holderIdentity } });

test("tells_another_deployment_from_one_that_ended_without_a_word", () => {
  const look = (first: ReturnType<typeof answered>, later = first) =>
    leaseFinding("iris", first, later);
  assert.ok(look(answered("")).ok);
  assert.ok(look(lease("")).ok);
  assert.match(look(lease("ann"), lease("ann", "2")).found, /another deployment of iris: ann/);
  assert.not.ok(look(lease("ann"), lease("ann", "2")).ok);
  assert.ok(look(lease("ann"), lease("ann")).warning);
  assert.ok(look(lease("ann"), lease("", "2")).ok);
  assert.not.ok(look(lease("ann"), AWAY).ok);
  assert.not.ok(look(AWAY).ok);
});

test("tells_which_release_is_live_and_fails_for_a_canary_that_waits", () => {
  assert.is(releasesFinding([]).found, "none yet");
  const live = releaseOf(1, { status: "live" });
  assert.is(releasesFinding([live]).found, "release 1 is live (1.0.1)");
  const waits = releasesFinding([live, releaseOf(2, { status: "waiting" })]);
  assert.equal([waits.ok, waits.found], [false, "the canary of release 2 waits"]);
});

/** A release whose Service has this port, and pods that are ready. */
const served = (number: number, port: number): ReleaseRecord =>
  releaseOf(number, { objects: objectsOf({ ...inputs(), servicePort: port }), port });
const seenWith = (available: number): Observation => ({
  stable: {
    ...{ release: 1, image: "", generation: 1, replicas: 2, available, complete: available === 2 },
    trouble: available > 0 ? undefined : { why: "a crashes", certain: true },
  },
  ...{ weight: 0, exposed: false, named: true, routed: true, leftovers: false, pods: [] },
});

test("tells_what_of_the_live_release_refuses_the_next_one", () => {
  const live = served(1, 80);
  assert.equal(passageFindings(live, served(2, 80), seenWith(2)), []);
  assert.equal(passageFindings(undefined, served(1, 80), { stable: undefined }), []);
  const [ports, ...more] = passageFindings(live, served(2, 81), seenWith(2));
  assert.equal([ports?.check, ports?.ok, more], ["ports", false, []]);
  assert.match(ports?.found ?? "", "requests come by port 80 of the Service");
});

test("warns_when_no_pod_of_the_live_release_is_ready_to_be_compared_with", () => {
  const [pods, ...more] = passageFindings(served(1, 80), served(2, 81), seenWith(0));
  assert.equal([pods?.check, pods?.ok, pods?.warning, more], ["live pods", true, true, []]);
  assert.match(pods?.found ?? "", /no pod of release 1 is ready \(a crashes\)/);
});

test("fails_for_a_deployment_that_slipway_did_not_make", () => {
  const found = (labels: Record<string, string>): number =>
    foreignFinding("iris", answered({ metadata: { name: "iris", labels } })).length;
  assert.equal(foreignFinding("iris", answered("")), []);
  assert.is(found({ "app.kubernetes.io/name": "iris", "slipway.dev/release": "3" }), 0);
  assert.is(found({ "app.kubernetes.io/name": "iris" }), 1);
  assert.not.ok(foreignFinding("iris", AWAY)[0]?.ok);
});

test("asks_nothing_that_would_change_the_cluster", () => {
  const asked = questions({
    ...{
      name: "iris",
      namespace: "shop",
      deploy: inputs({ route: { gateway: "edge/web" } }).config,
    },
    ...{ rights: rightsNeeded(objects), secrets: ["db"], objects, canary, isHolder: false },
  });
  assert.ok(Object.keys(asked).length > 7);
  for (const [about, question] of Object.entries(asked)) {
    if ("api" in question) {
      // A review is an answer, of which nothing is kept.
      const isReview = ["rights", "whoami"].includes(about) && "create" in question.api;
      assert.ok("one" in question.api || "all" in question.api || isReview, about);
      assert.is(question.limit, 20);
      continue;
    }
    const { args } = question;
    const [verb = ""] = args;
    const isReading = ["get", "version"].includes(verb);
    const isTrial = args.includes("--dry-run=server");
    assert.ok(isReading || isTrial, about);
    assert.ok(args.includes("--request-timeout=20s"));
  }
});

test("asks_nothing_of_objects_where_nothing_new_is_brought_nor_for_the_lease_that_it_has", () => {
  const subject = {
    ...{ name: "iris", namespace: "shop", deploy: inputs().config },
    ...{ rights: rightsNeeded([]), secrets: [], objects: [], canary: undefined },
  };
  const asked = (isHolder: boolean): string[] => Object.keys(questions({ ...subject, isHolder }));
  assert.equal(asked(false), ["version", "whoami", "namespace", "rights", "lease"]);
  assert.equal(asked(true), ["version", "whoami", "namespace", "rights"]);
});

test.run();
