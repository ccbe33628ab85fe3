import assert from "node:assert/strict";

import type { Module_, TypeDef } from "@dagger.io/dagger";

import { topic } from "../case.js";

interface CheckRun {
  run: { completed: boolean; passed: boolean; error: { message: string } | null };
}

async function objectNamed(module: Module_, name: string): Promise<TypeDef> {
  for (const type of await module.objects()) {
    if ((await type.asObject().name()) === name) return type;
  }
  return assert.fail(`the module has no object ${name}`);
}

export const moduleTypes = topic(
  "modules",
  {
    tell_their_name_and_description: async (_dag, t) => {
      const module = await t.module();
      assert.equal(await module.name(), "probe");
      assert.match(await module.description(), /What the conformance cases call a module for/);
    },
    tell_their_objects_and_functions: async (_dag, t) => {
      const module = await t.module();
      const names = await Promise.all(
        (await module.objects()).map((type) => type.asObject().name()),
      );
      assert.deepEqual(names.sort(), ["Probe", "ProbeCounter"]);
      const probe = (await objectNamed(module, "Probe")).asObject();
      assert.match(await probe.description(), /Functions of every shape/);
      const functions = await Promise.all((await probe.functions()).map((f) => f.name()));
      for (const name of ["greet", "failExec", "counters"])
        assert.ok(functions.includes(name), name);
      const fields = await Promise.all((await probe.fields()).map((f) => f.name()));
      assert.deepEqual(fields, ["prefix"]);
    },
    tell_arguments_with_defaults_and_descriptions: async (_dag, t) => {
      const probe = (await objectNamed(await t.module(), "Probe")).asObject();
      for (const one of await probe.functions()) {
        if ((await one.name()) !== "greet") continue;
        assert.match(await one.description(), /Greets somebody/);
        const args = await Promise.all(
          (await one.args()).map(async (arg) => [await arg.name(), await arg.defaultValue()]),
        );
        assert.deepEqual(args, [
          ["name", '"world"'],
          ["times", "1"],
          ["loud", "false"],
        ]);
        return;
      }
      assert.fail("greet is not among the functions");
    },
    tell_enums_and_their_members: async (_dag, t) => {
      const [volume, ...more] = await (await t.module()).enums();
      assert.ok(volume && more.length === 0);
      assert.equal(await volume.asEnum().name(), "ProbeVolume");
      const members = await volume.asEnum().members();
      const values = await Promise.all(members.map((member) => member.value()));
      assert.deepEqual(values.sort(), ["LOUD", "QUIET"]);
    },
    list_their_checks: async (_dag, t) => {
      const checks = await (await t.module()).checks().list();
      const names = await Promise.all(checks.map((one) => one.name()));
      assert.deepEqual(names.sort(), ["bad", "boxed", "good"]);
    },
    give_the_outcome_of_each_check: async (_dag, t) => {
      const id = await (await t.module()).id();
      const run = "{ run { completed passed error { message } } }";
      const outcome = await t.query<{ node: Record<"good" | "bad" | "boxed", CheckRun> }>(
        `query ($id: ID!) { node(id: $id) { ... on Module {
          good: check(name: "good") ${run}
          bad: check(name: "bad") ${run}
          boxed: check(name: "boxed") ${run}
        } } }`,
        { id },
      );
      const { good, bad, boxed } = outcome.node;
      assert.deepEqual(good.run, { completed: true, passed: true, error: null });
      assert.deepEqual([bad.run.completed, bad.run.passed], [true, false]);
      assert.match(bad.run.error?.message ?? "", /planned failure of a check/);
      assert.deepEqual([boxed.run.completed, boxed.run.passed], [true, false]);
      assert.match(boxed.run.error?.message ?? "", /exit code: 3/);
    },
    fail_with_all_failures_when_all_checks_are_run: async (_dag, t) => {
      const module = await t.module();
      const error = await t.expectError(() => module.checks().run().list(), /planned failure/);
      assert.match(error.message, /exit code: 3/);
      const [good] = await module
        .checks({ include: ["good"] })
        .run()
        .list();
      assert.equal(await good?.passed(), true);
    },
  },
  { module: true },
);
