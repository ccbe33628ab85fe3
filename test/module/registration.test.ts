import { suite } from "uvu";
import * as assert from "uvu/assert";
import { kebab } from "../../ci/cli/names.js";
import { SWITCHES } from "../../ci/cli/session/flags.js";
import { CHECK_NAMES } from "../../src/core/check.js";
import { register } from "./registration.js";

const test = suite("registration");

const registered = await register();
const own = registered.filter(({ owner }) => owner === "Slipway");

/** Flags of `dagger call` that an argument of the same name would hide. */
const FLAGS = ["json", "output", "mod", "progress", "silent", "quiet", "verbose", "debug", "help"];

/** Functions that ask or change something outside. */
const OUTSIDE = [
  ...["attest", "evidence", "publish", "release", "sign", "verify"],
  ...["abort", "demo", "deploy", "deployCanary", "diff", "history", "plan", "promote", "rollback"],
  ...["status", "validate", "watch"],
];

test("registers_every_function_of_the_pipeline", () => {
  assert.equal(
    own.map(({ name }) => name).sort(),
    ["", ...CHECK_NAMES, ...["build", "checks", "sbom", "scan"], ...OUTSIDE].sort(),
  );
});

test("registers_the_accessors_of_its_results", () => {
  assert.ok(registered.some(({ owner, name }) => owner === "CheckReport" && name === "assert"));
});

test("offers_each_check_to_dagger_check_without_required_arguments", () => {
  const checks = own.filter(({ check }) => check);
  assert.equal(checks.map(({ name }) => name).sort(), [...CHECK_NAMES].sort());
  assert.equal(
    checks.flatMap(({ args }) => args.filter(({ required }) => required)),
    [],
  );
});

test("needs_no_argument_anywhere", () => {
  const required = registered.flatMap(({ name, args }) =>
    args.filter((arg) => arg.required).map((arg) => `${name}.${arg.name}`),
  );
  assert.equal(required, []);
});

test("documents_every_function_and_argument", () => {
  const silent = registered.flatMap(({ name, description, args }) => [
    ...(description === "" && name !== "" ? [name] : []),
    ...args.filter((arg) => arg.description === "").map((arg) => `${name}.${arg.name}`),
  ]);
  assert.equal(silent, []);
});

test("keeps_argument_names_apart_from_the_flags_of_dagger_call", () => {
  const taken = registered.flatMap(({ args }) => args.filter(({ name }) => FLAGS.includes(name)));
  assert.equal(taken, []);
});

test("takes_no_value_after_just_the_switches_that_the_command_knows", () => {
  const switches = registered.flatMap(({ args }) =>
    args.filter(({ isSwitch }) => isSwitch).map(({ name }) => kebab(name)),
  );
  assert.equal([...new Set(switches)].sort(), [...SWITCHES].sort());
});

test("never_caches_what_has_an_effect_outside", () => {
  for (const name of OUTSIDE)
    assert.is(own.find((each) => each.name === name)?.cachePolicy, "Never", name);
});

test("keeps_an_audit_for_an_hour_at_most", () => {
  for (const name of ["pipAudit", "safety", "checks"])
    assert.is(own.find((each) => each.name === name)?.timeToLive, "1h", name);
});

test.run();
