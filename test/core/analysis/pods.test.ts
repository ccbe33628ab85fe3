import { suite } from "uvu";
import * as assert from "uvu/assert";
import { isLost, type Sent } from "../../../src/core/analysis/observation.js";
import { configured, judged, outcomeOf, pod, request, requests, well } from "./support.js";

const test = suite("pods in an analysis");

const both = (canary: Sent[], stable = requests("stable", canary.length)): Sent[] => [
  ...canary,
  ...stable,
];

test("fails_on_restarts_and_pods_that_are_not_ready_and_names_them", () => {
  const sent = both(requests("canary", 400));
  const stable = { before: [pod("s")], after: [pod("s")] };
  const before = [pod("a"), pod("b", { restarts: 2 })];
  const look = (after: ReturnType<typeof pod>[]): ReturnType<typeof judged> =>
    judged({ sent, observation: well({ pods: { canary: { before, after }, stable } }) });
  const restarted = look([pod("a"), pod("b", { restarts: 3, reason: "OOMKilled" })]);
  assert.is(outcomeOf(restarted, "restarts"), "failed");
  assert.match(restarted.why, "b: 1 (OOMKilled)");
  assert.is(outcomeOf(look([pod("a"), pod("b", { restarts: 2 })]), "restarts"), "passed");
  const waiting = look([
    pod("a", { ready: false, reason: "CrashLoopBackOff" }),
    pod("b", { restarts: 2 }),
  ]);
  assert.match(waiting.why, "1 of 2 pods ready; a is not ready (CrashLoopBackOff)");
  assert.is(look([]).outcome, "failed");
  // A new pod that has restarted already is one that restarts.
  assert.is(outcomeOf(look([pod("a"), pod("c", { restarts: 1 })]), "restarts"), "failed");
});

const lost = (way: number, at: number, more: Partial<Sent> = {}): Sent =>
  request("canary", { way, at, status: 0, ok: false, ms: 5, ...more });

test("counts_no_request_that_was_lost_on_the_way_unless_the_pod_took_no_connection", () => {
  const away = [{ way: 0, at: 5000, said: "error: lost connection to pod" }];
  assert.ok(isLost(lost(0, 4990), away));
  assert.not.ok(isLost(lost(1, 4990), away), "of another way");
  assert.not.ok(isLost(lost(0, 9000), away), "of another time");
  assert.not.ok(isLost({ ...lost(0, 4990), status: 500 }, away), "an answer");
  const refused = saidAt(forwarding("failed to connect to localhost:8000 inside namespace e1: no"));
  assert.not.ok(isLost(lost(0, 4990), refused));
  const few = [
    ...Array.from({ length: 4 }, () => lost(0, 4990)),
    ...both(requests("canary", 396), requests("stable", 400)),
  ];
  assert.is(judged({ sent: few, observation: well({ breaks: away }) }).outcome, "passed");
  const many = [
    ...Array.from({ length: 200 }, () => lost(0, 4990)),
    ...both(requests("canary", 200), requests("stable", 400)),
  ];
  const found = judged({ sent: many, observation: well({ breaks: away }) });
  assert.is(found.outcome, "errored");
  assert.match(found.why, "200 of 400 requests to canary were lost on it");
});

/** As client-go 0.34 logs what a runtime could not forward. */
const forwarding = (why: string): string =>
  `E1126 19:00:00.000000 7 portforward.go:424] "Unhandled Error" err="an error occurred forwarding 4001 -> 8000: error forwarding port 8000 to pod e1, uid : ${why}"\nerror: lost connection to pod`;

const saidAt = (said: string) => [{ way: 0, at: 5000, said }];

test("counts_requests_to_a_pod_that_was_evicted_deleted_or_breaks_connections_off", () => {
  for (const said of [
    "error: unable to forward port because pod is not running. Current status=Failed",
    'Error from server (NotFound): pods "orders-1" not found',
    'error: error upgrading connection: unable to upgrade connection: pod not found ("orders-1_shop")',
    "error: error upgrading connection: unable to upgrade connection: sandbox container is not running",
    'error: error upgrading connection: failed to find sandbox "e1": not found',
    forwarding(
      'failed to execute portforward in network namespace \\"/var/run/netns/cni-1\\": read tcp4 127.0.0.1:4001->127.0.0.1:8000: read: connection reset by peer',
    ),
    forwarding(
      'port forward into network namespace \\"/var/run/netns/1\\": readfrom tcp 127.0.0.1:4001->127.0.0.1:8000: write: broken pipe',
    ),
  ])
    assert.not.ok(isLost(lost(0, 4990), saidAt(said)), said);
});

test("counts_no_request_that_was_lost_while_kubelet_runtime_or_api_server_were_away", () => {
  for (const said of [
    "error: error upgrading connection: error dialing backend: dial tcp 10.0.0.7:10250: connect: connection refused",
    "error: error upgrading connection: unable to upgrade connection: pod does not exist",
    "error: error upgrading connection: dial unix /run/containerd/containerd.sock: connect: connection refused",
    "Unable to connect to the server: dial tcp 10.0.0.1:6443: connect: connection refused",
    "error: kubectl: executable aws not found",
    // k6 gave the request up and hung up: what breaks is the way of the others.
    forwarding(
      'failed to execute portforward in network namespace \\"/var/run/netns/cni-1\\": writeto tcp4 127.0.0.1:4001->127.0.0.1:8000: Write on closed stream',
    ),
  ])
    assert.ok(isLost(lost(0, 4990), saidAt(said)), said);
});

test("errs_when_a_tenth_of_one_versions_requests_was_lost_however_many_others_there_are", () => {
  const config = configured("load.rate=50", "load.duration=30");
  const load = requests("canary", 1500).map((one) => ({ ...one, phase: "load" as const }));
  const observation = well({ breaks: saidAt("error: lost connection to pod") });
  const look = (count: number, more: Partial<Sent> = {}): ReturnType<typeof judged> => {
    const gone = Array.from({ length: count }, () => lost(0, 4990, more));
    const sent = [...gone, ...both(requests("canary", 400 - count), requests("stable", 400))];
    return judged({ sent: [...sent, ...load], config, observation, load: true });
  };
  assert.is(look(40).outcome, "passed");
  const found = look(41);
  assert.is(found.outcome, "errored");
  assert.match(found.why, "41 of 400 requests to canary were lost on it");
  const many = Array.from({ length: 200 }, () => lost(0, 4990, { phase: "load" }));
  const sent = [...both(requests("canary", 400)), ...load.slice(200), ...many];
  assert.match(
    judged({ sent, config, observation, load: true }).why,
    "200 of 1500 requests of the load test were lost on it",
  );
});

test("judges_no_look_by_what_was_lost_while_it_warmed_up", () => {
  const warmup = Array.from({ length: 40 }, () => lost(0, 4990, { phase: "warmup" }));
  const observation = well({ breaks: saidAt("error: lost connection to pod") });
  const sent = [...warmup, ...both(requests("canary", 400))];
  assert.is(judged({ sent, observation }).outcome, "passed");
});

test("doubts_when_a_pod_is_gone_that_was_there_and_not_when_one_came", () => {
  const look = (before: string[], after: string[]): ReturnType<typeof judged> => {
    const canary = {
      before: before.map((name) => pod(name)),
      after: after.map((name) => pod(name)),
    };
    const observation = well({ pods: { canary, stable: canary } });
    return judged({ sent: both(requests("canary", 400)), observation });
  };
  const found = look(["a", "b", "c", "d"], ["a", "b", "c", "e"]);
  assert.is(found.outcome, "inconclusive");
  assert.match(found.why, "4 of 4 pods ready; d is gone");
  assert.is(look(["a"], ["a", "b"]).outcome, "passed", "scaled up");
});

test.run();
