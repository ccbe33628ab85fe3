import { suite } from "uvu";
import * as assert from "uvu/assert";
import { forwarded } from "../../ci/cli/environment.js";
import { withLogin } from "../../ci/cli/module/login.js";
import { withSafetyKey } from "../../ci/cli/module/safety.js";
import type { Step } from "../../ci/cli/module/parse.js";
import type { Argument } from "../../ci/cli/module/types.js";
import type { Value } from "../../ci/cli/module/values.js";
import { resolveConfig } from "../../src/core/config/resolve.js";

const test = suite("the registry, out of the environment");

const argument = (name: string, type: string): Argument => ({
  ...{ name, description: "", required: false, defaultValue: "", defaultPath: "", ignore: [] },
  type: { kind: type === "Secret" ? "OBJECT_KIND" : "STRING_KIND", name: type, optional: true },
});
const fn = (...args: Argument[]): Step["fn"] => ({
  ...{ name: "verify", description: "", isField: false, args },
  returns: { kind: "STRING_KIND", name: "String", optional: false },
});
const VERIFY = fn(argument("username", "String"), argument("password", "Secret"));
const ENV = { REGISTRY_USER: "ann", REGISTRY_TOKEN: "hunter2" };
const TYPED: Value = { kind: "literal", text: '"bob"' };

const filled = (step: Step, env: Record<string, string>): [string, Value][] => [
  ...withLogin(step, env).args,
];

test("hands_on_user_and_token_and_the_token_by_its_name_alone", () => {
  const given = filled({ fn: VERIFY, args: new Map() }, ENV);
  assert.equal(given, [
    ["username", { kind: "literal", text: '"ann"' }],
    ["password", { kind: "address", type: "Secret", address: "env://REGISTRY_TOKEN", ignore: [] }],
  ]);
  assert.not.match(JSON.stringify(given), "hunter2");
});

test("takes_neither_half_when_one_is_given_by_a_flag", () => {
  const args = new Map([["username", TYPED]]);
  assert.equal(filled({ fn: VERIFY, args }, ENV), [["username", TYPED]]);
});

test("gives_nothing_to_functions_that_ask_no_registry_and_nothing_that_is_empty", () => {
  assert.equal(filled({ fn: fn(argument("username", "String")), args: new Map() }, ENV), []);
  const empty = { REGISTRY_USER: "", REGISTRY_TOKEN: "" };
  assert.equal(filled({ fn: VERIFY, args: new Map() }, empty), []);
});

test("hands_the_key_for_safety_on_by_its_name_unless_it_was_given", () => {
  const root = fn(argument("safetyKey", "Secret"));
  const given = (step: Step, env = {}): [string, Value][] => [...withSafetyKey(step, env).args];
  const address = "env://SAFETY_API_KEY";
  const key: Value = { kind: "address", type: "Secret", address, ignore: [] };
  const env = { SAFETY_API_KEY: "hunter2" };
  assert.equal(given({ fn: root, args: new Map() }, env), [["safetyKey", key]]);
  assert.equal(given({ fn: root, args: new Map([["safetyKey", TYPED]]) }, env), [
    ["safetyKey", TYPED],
  ]);
  assert.equal(given({ fn: root, args: new Map() }, { SAFETY_API_KEY: "" }), []);
  assert.equal(given({ fn: VERIFY, args: new Map() }, env), []);
});

test("takes_host_and_repository_by_their_usual_names_and_never_the_token", () => {
  const env = { ...ENV, REGISTRY_HOST: "registry.example", REGISTRY_REPO: "team/iris" };
  assert.equal(forwarded(env), ["REGISTRY_HOST=registry.example", "REGISTRY_REPO=team/iris"]);
  const { config } = resolveConfig({ pyproject: "", env });
  assert.is(config.publish.registry, "registry.example");
  assert.is(config.publish.repository, "team/iris");
});

test.run();
