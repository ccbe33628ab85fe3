// What cluster.py makes of requests and of answers, behind a stand-in for `kubectl proxy`.
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";

import { withPaths, type ApiRequest } from "../../../src/core/delivery/api.js";
import { ROUTED, SETTLED, UNSETTLED } from "../../../src/core/delivery/queries.js";

const REQUESTS = fileURLToPath(new URL("../../../src/stages/python/requests.py", import.meta.url));
const KUBECTL = fileURLToPath(new URL("kubectl.py", import.meta.url));

interface Answer {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly tries: number;
}

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly type: string | null;
  readonly body?: unknown;
}

type Answers = Readonly<Record<string, readonly [number, unknown] | string>>;

const test = suite("cluster.py", { folder: "" });
test.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), "slipway-api-"));
  copyFileSync(KUBECTL, join(context.folder, "kubectl"));
});
test.after.each(({ folder }) => {
  rmSync(folder, { recursive: true });
});

/** How requests end that get these answers, and what was asked for them. */
function ask(
  folder: string,
  answers: Answers,
  requests: readonly ApiRequest[],
  more: object = {},
): { readonly answers: Answer[]; readonly asked: Asked[] } {
  const place = (name: string): string => join(folder, name);
  writeFileSync(place("answers.json"), JSON.stringify(answers));
  const list = requests.map((request) => ({
    ...{ api: withPaths(request, "shop"), namespace: "shop", limit: 10 },
    ...more,
  }));
  writeFileSync(place("requests.json"), JSON.stringify(list));
  const env = {
    ...process.env,
    PATH: `${folder}:${process.env.PATH ?? ""}`,
    ANSWERS: place("answers.json"),
    ASKED: place("asked"),
  };
  const ran = spawnSync("python3", [REQUESTS, place("requests.json"), place("out.json")], {
    ...{ encoding: "utf8", env },
  });
  assert.is(ran.status, 0, ran.stderr);
  const lines = existsSync(place("asked")) ? readFileSync(place("asked"), "utf8") : "";
  return {
    answers: JSON.parse(readFileSync(place("out.json"), "utf8")) as Answer[],
    asked: lines
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Asked),
  };
}

/** The only answer, or the first of them. */
function first(answers: readonly Answer[]): Answer {
  const [answer] = answers;
  if (!answer) throw new Error("nothing was answered");
  return answer;
}

const CORE = "/api/v1/namespaces/shop";
const APPS = "/apis/apps/v1/namespaces/shop";
const KINDS: Answers = {
  "GET /api/v1": [
    200,
    {
      resources: [
        { name: "configmaps", kind: "ConfigMap", namespaced: true },
        { name: "namespaces", kind: "Namespace", namespaced: false },
      ],
    },
  ],
};

const status = (code: number, reason: string, message: string, name?: string): [number, object] => [
  code,
  { kind: "Status", status: "Failure", reason, message, details: name ? { name } : {}, code },
];
const missing = (name: string): [number, object] =>
  status(404, "NotFound", `"${name}" not found`, name);

const configMap = (
  name: string,
): { apiVersion: string; kind: string; metadata: { name: string } } => ({
  ...{ apiVersion: "v1", kind: "ConfigMap" },
  metadata: { name },
});

test("lists_what_is_there_with_its_kind_and_leaves_out_what_is_not", ({ folder }) => {
  const { answers, asked } = ask(
    folder,
    {
      [`GET ${CORE}/pods?labelSelector=a%3Db`]: [
        200,
        { kind: "PodList", apiVersion: "v1", items: [{ metadata: { name: "one" } }] },
      ],
      [`GET ${APPS}/deployments/orders`]: missing("orders"),
      [`GET ${CORE}/services/orders`]: [200, { kind: "Service", metadata: { name: "orders" } }],
    },
    [
      {
        all: [
          { kind: "v1/pods", selector: "a=b" },
          { kind: "apps/v1/deployments", name: "orders" },
          { kind: "v1/services", name: "orders" },
        ],
      },
    ],
  );
  assert.is(first(answers).exitCode, 0, first(answers).stderr);
  assert.equal(JSON.parse(first(answers).stdout), {
    kind: "List",
    items: [
      { apiVersion: "v1", kind: "Pod", metadata: { name: "one" } },
      { kind: "Service", metadata: { name: "orders" } },
    ],
  });
  assert.equal(
    asked.map(({ method }) => method),
    ["GET", "GET", "GET"],
  );
});

test("gives_nothing_for_one_that_is_not_there", ({ folder }) => {
  const { answers } = ask(folder, { [`GET ${CORE}/configmaps/none`]: missing("none") }, [
    { one: { kind: "v1/configmaps", name: "none" } },
  ]);
  assert.equal(answers, [{ exitCode: 0, stdout: "", stderr: "", tries: 1 }]);
});

test("fails_when_one_is_not_there_that_is_needed", ({ folder }) => {
  const { answers } = ask(folder, { "GET /api/v1/namespaces/none": missing("none") }, [
    { one: { kind: "v1/namespaces", namespace: "", name: "none" }, needed: true },
  ]);
  assert.is(first(answers).exitCode, 1);
  assert.is(first(answers).stderr, 'Error from server (NotFound): "none" not found\n');
});

test("fails_when_a_kind_is_not_served_or_nobody_may_look", ({ folder }) => {
  const { answers } = ask(
    folder,
    { [`GET ${CORE}/secrets`]: status(403, "Forbidden", "secrets is forbidden") },
    [{ all: [{ kind: "example.com/v1/things" }] }, { all: [{ kind: "v1/secrets" }] }],
  );
  assert.equal(
    answers.map(({ exitCode, stderr }) => [exitCode, stderr]),
    [
      [1, "Error from server (NotFound): the server could not find the requested resource\n"],
      [1, "Error from server (Forbidden): secrets is forbidden\n"],
    ],
  );
});

test("applies_server_side_where_the_kind_says_and_forces_only_when_told", ({ folder }) => {
  const fine: [number, object] = [200, {}];
  const flags = "fieldManager=slipway&fieldValidation=Ignore";
  const namespace = { ...configMap("shop"), kind: "Namespace" };
  const { answers, asked } = ask(
    folder,
    {
      ...KINDS,
      [`PATCH ${CORE}/configmaps/a?${flags}`]: fine,
      [`PATCH /api/v1/namespaces/shop?${flags}&force=true`]: fine,
    },
    [
      { apply: [configMap("a")], manager: "slipway" },
      { apply: [namespace], manager: "slipway", force: true },
    ],
  );
  assert.equal(
    answers.map(({ exitCode }) => exitCode),
    [0, 0],
  );
  const [kinds, patch] = asked;
  assert.is(kinds?.path, "/api/v1");
  assert.is(patch?.type, "application/apply-patch+yaml");
  assert.equal(patch?.body, configMap("a"));
  assert.is(asked.length, 3, "kinds are asked for once");
});

test("applies_the_others_when_one_is_refused_and_tells_of_each_that_was", ({ folder }) => {
  const flags = "fieldManager=slipway&fieldValidation=Ignore";
  const conflict = 'Apply failed with 1 conflict: conflict with "helm": .data.a';
  const { answers, asked } = ask(
    folder,
    {
      ...KINDS,
      [`PATCH ${CORE}/configmaps/a?${flags}`]: status(409, "Conflict", conflict),
      [`PATCH ${CORE}/configmaps/b?${flags}`]: status(422, "Invalid", "b is invalid"),
      [`PATCH ${CORE}/configmaps/c?${flags}`]: [200, {}],
    },
    [{ apply: ["a", "b", "c"].map(configMap), manager: "slipway" }],
  );
  assert.is(first(answers).exitCode, 1);
  assert.is(
    first(answers).stderr,
    `Error from server (Conflict): ${conflict}\nError from server (Invalid): b is invalid\n`,
  );
  assert.is(asked.length, 4);
});

test("applies_nothing_when_a_kind_is_unknown", ({ folder }) => {
  const { answers, asked } = ask(folder, KINDS, [
    { apply: [configMap("a"), { ...configMap("b"), kind: "Thing" }], manager: "slipway" },
  ]);
  assert.is(first(answers).stderr, 'no matches for kind "Thing" in version "v1"\n');
  assert.equal(
    asked.map(({ method }) => method),
    ["GET"],
  );
});

test("asks_again_for_kinds_that_the_server_did_not_know_yet", ({ folder }) => {
  const thing = { ...configMap("b"), kind: "Thing" };
  const { asked } = ask(folder, KINDS, [{ create: [thing] }], {
    retry: [{ seconds: 0.3, pattern: "no matches for kind" }],
    every: 0.1,
  });
  assert.ok(asked.filter(({ path }) => path === "/api/v1").length > 1);
});

test("deletes_by_name_or_labels_and_does_not_mind_what_is_gone", ({ folder }) => {
  const marked = "fieldSelector=metadata.name%3Da&labelSelector=by%3Dslipway";
  const list = (...names: string[]): [number, object] => [
    200,
    { kind: "ConfigMapList", apiVersion: "v1", items: names.map(configMap) },
  ];
  const { answers, asked } = ask(
    folder,
    {
      ...KINDS,
      [`GET ${CORE}/configmaps?labelSelector=track%3Dcanary`]: list("x", "y"),
      [`GET ${CORE}/configmaps?${marked}`]: list(),
      [`DELETE ${CORE}/configmaps/x`]: [200, {}],
      [`DELETE ${CORE}/configmaps/y`]: missing("y"),
      [`DELETE ${CORE}/secrets/s`]: missing("s"),
    },
    [
      { delete: [{ kind: "v1/configmaps", selector: "track=canary" }] },
      { delete: [{ object: configMap("a"), selector: "by=slipway" }] },
      { delete: [{ kind: "v1/secrets", name: "s" }] },
    ],
  );
  assert.equal(
    answers.map(({ exitCode, stderr }) => [exitCode, stderr]),
    [
      [0, ""],
      [0, ""],
      [0, ""],
    ],
  );
  const deleted = asked.filter(({ method }) => method === "DELETE");
  assert.equal(
    deleted.map(({ path }) => path),
    [`${CORE}/configmaps/x`, `${CORE}/configmaps/y`, `${CORE}/secrets/s`],
  );
  for (const { body } of deleted)
    assert.is((body as { propagationPolicy?: string }).propagationPolicy, "Background");
});

test("patches_by_operations_and_creates_in_the_namespace", ({ folder }) => {
  const operations = [{ op: "test", path: "/data/a", value: "1" }];
  const refused = "the server rejected our request due to an error in our request";
  const { answers, asked } = ask(
    folder,
    {
      ...KINDS,
      [`PATCH ${CORE}/configmaps/a`]: status(422, "Invalid", refused),
      [`POST ${CORE}/configmaps`]: [201, { kind: "ConfigMap" }],
    },
    [{ patch: { kind: "v1/configmaps", name: "a" }, operations }, { create: [configMap("a")] }],
  );
  assert.equal(
    answers.map(({ exitCode, stderr }) => [exitCode, stderr]),
    [
      [1, `Error from server (Invalid): ${refused}\n`],
      [0, ""],
    ],
  );
  assert.is(answers[1]?.stdout, '{"kind": "ConfigMap"}\n', "what came of it is told");
  assert.equal(asked[0]?.body, operations);
  assert.is(asked[0]?.type, "application/json-patch+json");
});

test("repeats_what_the_api_server_does_not_answer_and_then_tells_why", ({ folder }) => {
  const away = "dial tcp 198.18.0.1:6443: connect: connection refused\n";
  const { answers } = ask(
    folder,
    { [`GET ${CORE}/configmaps/a`]: [500, away] },
    [{ one: { kind: "v1/configmaps", name: "a" } }],
    { retry: [{ seconds: 0.5, pattern: "connection refused" }], every: 0.1 },
  );
  assert.is(first(answers).exitCode, 1);
  assert.is(first(answers).stderr, away);
  assert.ok(first(answers).tries > 2);
});

test("tells_what_kubectl_said_when_it_does_not_serve", ({ folder }) => {
  const { answers } = ask(folder, { ends: "error: no configuration has been provided" }, [
    { one: { kind: "v1/configmaps", name: "a" } },
  ]);
  assert.is(first(answers).exitCode, 1);
  assert.match(first(answers).stderr, "no configuration has been provided");
});

test("leaves_no_proxy_and_no_socket_behind", ({ folder }) => {
  const before = readdirSync("/tmp").filter((name) => /^slipway-\d+\.sock/.test(name));
  ask(folder, KINDS, [{ create: [configMap("a")] }]);
  const after = readdirSync("/tmp").filter((name) => /^slipway-\d+\.sock/.test(name));
  assert.equal(after, before);
  const running = spawnSync("pgrep", ["-f", join(folder, "kubectl")], { encoding: "utf8" });
  assert.is(running.stdout, "");
});

/** The line of an object, as what waits for it sees it. */
function summaryOf(folder: string, object: object): string {
  const place = { kind: "v1/things", name: "a" };
  const { answers } = ask(folder, { [`GET ${CORE}/things/a`]: [200, object] }, [
    { all: [place], as: "summary" },
  ]);
  assert.is(first(answers).exitCode, 0, first(answers).stderr);
  return first(answers).stdout;
}

/** Python's patterns of these files are JavaScript's too. */
const matches = (pattern: string, text: string): boolean => new RegExp(pattern, "m").test(text);

test("ends_a_wait_when_a_deployment_is_complete_and_not_before", ({ folder }) => {
  const deployment = (status: object, replicas = 2): object => ({
    ...{ kind: "Deployment", metadata: { generation: 3 }, spec: { replicas } },
    status: { observedGeneration: 3, replicas, updatedReplicas: replicas, ...status },
  });
  const whole = summaryOf(folder, deployment({ availableReplicas: 2 }));
  assert.ok(matches(SETTLED, whole), whole);
  assert.not.ok(matches(UNSETTLED, whole), whole);
  for (const behind of [
    { availableReplicas: 1 },
    {},
    { availableReplicas: 2, observedGeneration: 2 },
    { availableReplicas: 2, replicas: 3 },
  ]) {
    const text = summaryOf(folder, deployment(behind));
    assert.not.ok(matches(SETTLED, text), text);
    assert.ok(matches(UNSETTLED, text), text);
  }
  const late = { type: "Progressing", status: "False", reason: "ProgressDeadlineExceeded" };
  const hopeless = summaryOf(folder, deployment({ availableReplicas: 0, conditions: [late] }));
  assert.ok(matches(SETTLED, hopeless), hopeless);
});

test("ends_a_wait_when_a_pod_cannot_start", ({ folder }) => {
  const pod = (state: object): object => ({
    ...{ kind: "Pod", metadata: {} },
    status: { phase: "Pending", containerStatuses: [{ state }] },
  });
  const creating = summaryOf(folder, pod({ waiting: { reason: "ContainerCreating" } }));
  assert.not.ok(matches(SETTLED, creating), creating);
  const crashing = summaryOf(folder, pod({ waiting: { reason: "CrashLoopBackOff" } }));
  assert.ok(matches(SETTLED, crashing), crashing);
});

test("ends_a_wait_when_the_gateway_has_taken_over_the_route_as_it_is_now", ({ folder }) => {
  const route = (...conditions: object[]): object => ({
    ...{ kind: "HTTPRoute", metadata: { generation: 4 }, spec: {} },
    status: { parents: [{ conditions }] },
  });
  const condition = (type: string, observedGeneration: number): object => ({
    ...{ type, status: "True", observedGeneration },
  });
  const taken = route(condition("Accepted", 4), condition("ResolvedRefs", 4));
  assert.ok(matches(ROUTED, summaryOf(folder, taken)));
  for (const behind of [
    route(condition("Accepted", 3), condition("ResolvedRefs", 4)),
    route(condition("Accepted", 4)),
    { ...taken, status: undefined },
  ]) {
    const text = summaryOf(folder, behind);
    assert.not.ok(matches(ROUTED, text), text);
  }
});

test.run();
