import { treeNode } from "../api/host.js";
import type { DirectoryValue } from "../api/values.js";
import { canonical, digestOf, type Json } from "../graph/digest.js";
import { EngineError } from "../graph/errors.js";
import { Node } from "../graph/node.js";
import { closure, type Call } from "../session.js";
import { contextual, withoutIgnored } from "./contextual.js";
import { freeze, thaw, type Frozen } from "./portable.js";
import { runFunction } from "./runtime.js";
import type { FunctionValue, ModuleSourceValue, ModuleValue, TypeDefValue } from "./types.js";

/** The state of a module's object, as its process gave it: objects of the API are IDs in it. */
export interface ObjectState {
  readonly module: string;
  readonly object: string;
  readonly state: Readonly<Record<string, unknown>>;
}

interface Target {
  readonly module: ModuleValue;
  readonly source: ModuleSourceValue;
  readonly object: string;
  /** A constructor has no name. */
  readonly fn: FunctionValue;
}

/** Dagger keeps the results of functions for seven days unless they say otherwise. */
const DEFAULT_TTL_MS = 7 * 24 * 3600_000;

interface Kept {
  readonly value: string;
  readonly recipes: Frozen;
  readonly expires: number;
}

/** Calls a function of a module, or takes its result from an equal call before. */
export async function callFunction(
  call: Call,
  target: Target,
  self: ObjectState | undefined,
  args: Readonly<Record<string, unknown>>,
): Promise<unknown> {
  const { fn } = target;
  const inputs = await inputsOf(call, target, fn, args);
  const parent = JSON.stringify(self?.state ?? null);
  const nodes = idsIn(call, [self?.state, inputs]);
  const key = `call/${digestOf(
    target.source.digest,
    target.object,
    fn.name,
    canonical(self ? (self.state as Json) : null),
    inputs.map(({ name, value }) => [name, value]),
  )}`;
  const ttl = timeToLive(target.source, fn);
  // What a function says of a plan is no result of it.
  const cacheable =
    !call.session.engine.options.plan &&
    ttl > 0 &&
    closure(...nodes).every(({ portable }) => portable);
  const label = `${target.module.name}.${fn.name === "" ? "new" : fn.name}`;
  const { store, events } = call.session.engine;
  const known = cacheable ? ((await store.memo.get(key)) as Kept | undefined) : undefined;
  if (known && known.expires > Date.now()) {
    thaw(call, known.recipes);
    events.cached(label);
    return decode(call, target, fn, known.value);
  }
  const run = (signal: AbortSignal) =>
    events.step(
      label,
      (output) =>
        runFunction(
          { ...call, signal },
          target.source,
          {
            moduleName: target.module.name,
            parentName: shortName(target, target.object),
            name: fn.name,
            parent,
            inputArgs: inputs,
          },
          output,
        ),
      signal,
    );
  // Equal calls of one session are one call, unless the function says otherwise.
  const value = await (fn.cachePolicy === "Never"
    ? run(call.signal)
    : call.session.share(key, run, call.signal));
  const frozen = cacheable ? freeze(idsIn(call, JSON.parse(value))) : undefined;
  if (frozen) {
    const kept: Kept = { value, recipes: frozen.recipes, expires: Date.now() + ttl };
    await store.memo.set(key, kept, { layers: frozen.layers });
  }
  return decode(call, target, fn, value);
}

/** Makes a module's main object. Without a constructor nothing runs, and it has no fields yet, as in Dagger. */
export async function construct(
  call: Call,
  target: Omit<Target, "fn">,
  args: Readonly<Record<string, unknown>>,
): Promise<unknown> {
  const { module, object } = target;
  const fn = module.objects.find(({ name }) => name === object)?.constructorFunction;
  if (!fn) return { module: module.name, object, state: {} };
  return await callFunction(call, { ...target, fn }, undefined, args);
}

/** The name that the module itself uses for its object. */
function shortName(target: Target, name: string): string {
  const known = target.module.objects.find((object) => object.name === name);
  return known?.originalName ?? name;
}

function timeToLive(source: ModuleSourceValue, fn: FunctionValue): number {
  if (fn.cachePolicy !== "Default" || !source.keepsResults) return 0;
  if (!fn.timeToLive) return DEFAULT_TTL_MS;
  const units: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3600_000 };
  return [...fn.timeToLive.matchAll(/([\d.]+)(ms|s|m|h)/g)].reduce(
    (sum, [, amount, unit]) => sum + Number(amount) * (units[unit ?? ""] ?? 1),
    0,
  );
}

/** Arguments as the function's process reads them: a name and JSON each. */
async function inputsOf(
  call: Call,
  target: Target,
  fn: FunctionValue,
  args: Readonly<Record<string, unknown>>,
): Promise<{ name: string; value: string }[]> {
  const inputs: { name: string; value: string }[] = [];
  for (const arg of fn.args) {
    const given = args[arg.name];
    const value =
      given === undefined
        ? await contextual(call, target.source, arg)
        : withoutIgnored(call, arg, given);
    if (value === undefined) continue;
    inputs.push({ name: arg.name, value: JSON.stringify(await encode(call, value)) });
  }
  return inputs;
}

/** Objects become IDs (of content where they come from the host), module objects their state. */
async function encode(call: Call, value: unknown): Promise<unknown> {
  if (Array.isArray(value)) return Promise.all(value.map((item) => encode(call, item)));
  if (!(value instanceof Node)) return value;
  const fromHost = closure(value).some(({ type }) => type === "Host");
  if ((value.type === "Directory" || value.type === "File") && fromHost) {
    const { tree } = await call.session.force<DirectoryValue>(value, call.client, call.signal);
    return treeNode(call, value.type, await tree(call.signal)).id;
  }
  const isCore = !call.session.served.some(({ objects }) =>
    objects.some(({ name }) => name === value.type),
  );
  if (isCore) return value.id;
  return (await call.session.force<ObjectState>(value, call.client, call.signal)).state;
}

/** What a function returned, as a value of the API. */
async function decode(
  call: Call,
  target: Target,
  fn: FunctionValue,
  json: string,
): Promise<unknown> {
  const value = JSON.parse(json) as unknown;
  if (fn.name) return reviveAs(call, target.module, value, fn.returnType);
  return { module: target.module.name, object: target.object, state: value };
}

/** What stands for a value that was never set and that the type does not do without, as in Dagger. */
const UNSET: Readonly<Record<string, unknown>> = {
  STRING_KIND: "",
  INTEGER_KIND: 0,
  FLOAT_KIND: 0,
  BOOLEAN_KIND: false,
  LIST_KIND: [],
};

async function reviveAs(
  call: Call,
  module: ModuleValue,
  value: unknown,
  type: TypeDefValue,
): Promise<unknown> {
  if (value === null || value === undefined)
    return type.optional ? null : (UNSET[type.kind] ?? null);
  if (type.kind === "LIST_KIND" && type.element) {
    const { element } = type;
    return Promise.all((value as unknown[]).map((item) => reviveAs(call, module, item, element)));
  }
  if (type.kind !== "OBJECT_KIND" && type.kind !== "INTERFACE_KIND") return value;
  if (typeof value === "string") {
    return call.session.force(call.session.node(value), call.client, call.signal);
  }
  return { module: module.name, object: type.name, state: value };
}

/** A field of a module's object. */
export function fieldOf(
  call: Call,
  self: ObjectState,
  name: string,
  type: TypeDefValue,
): Promise<unknown> {
  const module = call.session.served.find((served) => served.name === self.module);
  if (!module) throw new EngineError(`module ${self.module} is not served in this session`);
  return reviveAs(call, module, self.state[name], type);
}

/** The nodes whose IDs a JSON value holds. */
function idsIn(call: Call, value: unknown): Node[] {
  if (typeof value === "string") {
    if (/^[A-Z]\w*@[0-9a-f]{40}$/.test(value)) return [call.session.node(value)];
    return /^["[{]/.test(value) ? idsInJson(call, value) : [];
  }
  if (Array.isArray(value)) return value.flatMap((item) => idsIn(call, item));
  if (value !== null && typeof value === "object") {
    return Object.values(value).flatMap((item) => idsIn(call, item));
  }
  return [];
}

function idsInJson(call: Call, text: string): Node[] {
  try {
    return idsIn(call, JSON.parse(text));
  } catch {
    return [];
  }
}
