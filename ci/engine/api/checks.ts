import { EngineError } from "../graph/errors.js";
import { callFunction, construct, type ObjectState } from "../modules/call.js";
import { pascal } from "../modules/names.js";
import type { FunctionValue, ModuleValue } from "../modules/types.js";
import type { Call, Fields } from "../session.js";
import type { ContainerValue } from "./container/value.js";

/** A function of a module's main object that is a check, and how it went, if it ran. */
interface CheckValue {
  readonly module: ModuleValue;
  readonly fn: FunctionValue;
  readonly completed: boolean;
  readonly passed: boolean;
  readonly error: { readonly message: string; readonly values: readonly never[] } | null;
}

interface CheckGroupValue {
  readonly checks: readonly CheckValue[];
}

function checksOf(module: ModuleValue): CheckValue[] {
  const main = module.objects.find(({ name }) => name === pascal(module.name));
  return (main?.functions ?? [])
    .filter(({ isCheck }) => isCheck)
    .map((fn) => ({ module, fn, completed: false, passed: false, error: null }));
}

async function run(call: Call, { module, fn }: CheckValue): Promise<CheckValue> {
  const { source } = module;
  if (!source) throw new EngineError(`module ${module.name} was not loaded from a source`);
  const object = pascal(module.name);
  try {
    const target = { module, source, object };
    const self = await construct(call, target, {});
    const result = await callFunction(call, { ...target, fn }, self as ObjectState, {});
    // A check that returns a container passes when the container's commands do.
    if (fn.returnType.name === "Container") await (result as ContainerValue).files(call.signal);
    return { module, fn, completed: true, passed: true, error: null };
  } catch (error) {
    call.signal.throwIfAborted();
    const { message } = error as Error;
    return { module, fn, completed: true, passed: false, error: { message, values: [] } };
  }
}

/** Fields of Module that list its checks. */
export const moduleCheckFields: Fields<ModuleValue> = {
  "checks(include: [String!], noGenerate: Boolean): CheckGroup!": (
    self,
    args: { include?: string[] },
  ): CheckGroupValue => ({
    checks: checksOf(self).filter(({ fn }) => args.include?.includes(fn.name) ?? true),
  }),
  "check(name: String!): Check!": (self, args: { name: string }) => {
    const all = checksOf(self);
    const found = all.find(({ fn }) => fn.name === args.name);
    if (found) return found;
    const names = all.map(({ fn }) => fn.name).join(", ");
    throw new EngineError(`module ${self.name} has no check ${args.name}; it has: ${names}`);
  },
};

export const checkFields: Fields<CheckValue> = {
  "name: String!": (self) => self.fn.name,
  "path: [String!]!": (self) => [self.fn.name],
  "description: String!": (self) => self.fn.description,
  "completed: Boolean!": (self) => self.completed,
  "passed: Boolean!": (self) => self.passed,
  "error: Error": (self) => self.error,
  "originalModule: Module!": (self) => self.module,
  "run: Check!": (self, _args: object, call) => run(call, self),
};

export const checkGroupFields: Fields<CheckGroupValue> = {
  "list: [Check!]!": (self) => self.checks,
  "run(failFast: Boolean): CheckGroup!": async (self, args: { failFast?: boolean }, call) => {
    const done: CheckValue[] = [];
    if (args.failFast) {
      for (const check of self.checks) {
        done.push(await run(call, check));
        if (!done.at(-1)?.passed) break;
      }
    } else {
      done.push(...(await Promise.all(self.checks.map((check) => run(call, check)))));
    }
    const failures = done.filter(({ passed }) => !passed);
    if (failures.length === 0) return { checks: done };
    throw new EngineError(
      failures.map(({ fn, error }) => `check ${fn.name}: ${error?.message ?? ""}`).join("\n"),
    );
  },
};
