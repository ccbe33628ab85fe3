import type { Session } from "../session/open.js";
import { resolveValues } from "./addresses.js";
import type { Step } from "./parse.js";
import { isObject, type FunctionType, type ModuleTypes } from "./types.js";

/**
 * Asks the engine for what a chain of functions gives.
 *
 * @param selection What to ask of the last function's object, such as `{ passed summary }`; empty
 *   for a plain value.
 * @returns The last function's value; where the chain goes through lists, lists of values.
 */
export async function invoke(
  session: Session,
  steps: readonly Step[],
  selection: string,
): Promise<unknown> {
  const values = steps.flatMap(({ args }) => [...args.values()]);
  const text = await resolveValues(session, values);
  const calls = steps.map(({ fn, args }) => {
    const given = [...args].map(([name, value]) => `${name}: ${text(value)}`);
    return given.length > 0 ? `${fn.name}(${given.join(", ")})` : fn.name;
  });
  const document = `{ ${calls.join(" { ")} ${selection} ${"} ".repeat(calls.length)}`;
  const answer = await session.query<unknown>(document);
  return steps.reduce((value, { fn }) => descend(value, fn.name), answer);
}

function descend(value: unknown, field: string): unknown {
  if (Array.isArray(value)) return value.map((item) => descend(item, field));
  return (value as Readonly<Record<string, unknown>> | null)?.[field];
}

/** The plain values of an object: what is shown of it when nothing else was asked. */
export function plainFields(fn: FunctionType, types: ModuleTypes): string[] {
  const type =
    fn.returns.kind === "LIST_KIND" && fn.returns.element ? fn.returns.element : fn.returns;
  const object = types.object(type.name);
  if (!object) return [];
  return object.functions
    .filter(({ isField, returns }) => isField && !isObject(returns.element ?? returns))
    .map(({ name }) => name);
}
