// What cluster.py makes of requests, and of what the API server says to them.
import * as assert from "uvu/assert";

import { apiSuite, ask, configMap, CORE, first, KINDS } from "./asking.js";

const test = apiSuite("cluster.py");

const APPS = "/apis/apps/v1/namespaces/shop";

const status = (code: number, reason: string, message: string, name?: string): [number, object] => [
  code,
  { kind: "Status", status: "Failure", reason, message, details: name ? { name } : {}, code },
];
const missing = (name: string): [number, object] =>
  status(404, "NotFound", `"${name}" not found`, name);

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

test.run();
