import { usageError } from "../failure.js";
import { didYouMean, kebab, sameName } from "../names.js";
import {
  isObject,
  typeName,
  type Argument,
  type FunctionType,
  type ModuleTypes,
  type ObjectType,
} from "./types.js";
import { readValues, type Value } from "./values.js";

/** A function with what was given for its arguments. */
export interface Step {
  readonly fn: FunctionType;
  readonly args: ReadonlyMap<string, Value>;
}

/** Flags of the command itself: name → whether it takes a value. */
export type OwnFlags = Readonly<Record<string, { takesValue: boolean; alias?: string }>>;

export interface Invocation {
  /** The constructor first. */
  readonly steps: readonly Step[];
  /** Flags of the command itself, as given. */
  readonly own: ReadonlyMap<string, string>;
  /** `--help` was among the words. */
  readonly help: boolean;
  /** Words that `collect` took. */
  readonly collected: readonly string[];
}

export interface Grammar {
  readonly types: ModuleTypes;
  /** A type of Dagger's API that the module does not define. */
  readonly coreObject: (name: string) => Promise<ObjectType | undefined>;
  readonly ownFlags: OwnFlags;
  /** Words that are no flags are taken as they are instead of as functions. */
  readonly collect?: boolean;
}

/**
 * Reads `[constructor flags] FUNCTION [flags] [FUNCTION [flags]]…`. A flag belongs to the function
 * before it, or else to the constructor, or else to the command.
 *
 * @throws CliError (2) for an unknown function or flag, with the nearest name, or a missing one.
 */
export async function parseWords(
  start: readonly string[],
  words: readonly string[],
  grammar: Grammar,
): Promise<Invocation> {
  const { types } = grammar;
  const steps: { fn: FunctionType; texts: Map<string, string[]> }[] = [
    { fn: types.root, texts: new Map() },
  ];
  const own = new Map<string, string>();
  const collected: string[] = [];
  let scope: ObjectType | undefined = types.main;
  const enter = async (word: string) => {
    const previous = steps.at(-1)?.fn ?? types.root;
    if (!scope) {
      const what = typeName(previous.returns) || "nothing";
      throw usageError(
        `"${word}": ${kebab(previous.name)} returns ${what}, there is no function to call on it.`,
      );
    }
    const fn = scope.functions.find(({ name }) => sameName(name, word));
    if (!fn) throw unknownFunction(word, scope);
    steps.push({ fn, texts: new Map() });
    scope = await objectOf(fn, grammar);
  };
  for (const word of start) await enter(word);
  const rest = [...words];
  let help = false;
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === "--help" || word === "-h") {
      help = true;
    } else if (!/^-./.test(word)) {
      if (grammar.collect) collected.push(word);
      else await enter(word);
    } else {
      readFlag(word, rest, steps, own, grammar);
    }
  }
  const read = steps.map(({ fn, texts }) => ({
    fn,
    args: new Map(
      fn.args.flatMap((arg): [string, Value][] => {
        const given = texts.get(arg.name);
        return given ? [[arg.name, readValues(arg, given, types)]] : [];
      }),
    ),
  }));
  return { steps: read, own, help, collected };
}

/** Checks that nothing is missing that a function cannot do without. */
export function requireArguments(steps: readonly Step[]): void {
  for (const { fn, args } of steps) {
    const missing = fn.args.filter(({ name, required }) => required && !args.has(name));
    if (missing.length === 0) continue;
    const flags = missing.map((arg) => `--${kebab(arg.name)} (${typeName(arg.type)})`);
    throw usageError(`${kebab(fn.name)} needs ${flags.join(", ")}.`);
  }
}

async function objectOf(
  fn: FunctionType,
  { types, coreObject }: Grammar,
): Promise<ObjectType | undefined> {
  const type =
    fn.returns.kind === "LIST_KIND" && fn.returns.element ? fn.returns.element : fn.returns;
  if (!isObject(type)) return undefined;
  return types.object(type.name) ?? (await coreObject(type.name));
}

function readFlag(
  word: string,
  rest: string[],
  steps: readonly { fn: FunctionType; texts: Map<string, string[]> }[],
  own: Map<string, string>,
  { ownFlags }: Grammar,
): void {
  const [, name = "", inline] = /^--?([^=]+)(?:=(.*))?$/s.exec(word) ?? [];
  const value = (implied: string | undefined): string => {
    if (inline !== undefined) return inline;
    // `--flag false` would be a word of its own: a switch takes its value with "=".
    if (implied !== undefined) return implied;
    const next = rest.shift();
    if (next === undefined) throw usageError(`${word} needs a value.`);
    return next;
  };
  const current = steps.at(-1);
  for (const step of current === steps[0] ? steps.slice(0, 1) : [current, steps[0]]) {
    const arg = word.startsWith("--")
      ? step?.fn.args.find((each) => sameName(each.name, name))
      : undefined;
    if (!step || !arg) continue;
    const text = value(isSwitch(arg) ? "true" : undefined);
    step.texts.set(arg.name, [...(step.texts.get(arg.name) ?? []), text]);
    return;
  }
  const mine = Object.entries(ownFlags).find(
    ([flag, { alias }]) => flag === name || alias === name,
  );
  if (mine) {
    const [flag, { takesValue }] = mine;
    own.set(flag, value(takesValue ? undefined : "true"));
    return;
  }
  const known = [...(current?.fn.args ?? []), ...(steps[0]?.fn.args ?? [])];
  const names = [...known.map((arg) => kebab(arg.name)), ...Object.keys(ownFlags)];
  const where =
    current && current !== steps[0] ? `${kebab(current.fn.name)} has no flag` : "unknown flag";
  throw usageError(`${where} --${name}.${didYouMean(name, names, "--")} See --help.`);
}

function isSwitch(arg: Argument): boolean {
  return arg.type.kind === "BOOLEAN_KIND";
}

function unknownFunction(word: string, scope: ObjectType): Error {
  const names = scope.functions.map(({ name }) => kebab(name));
  return usageError(
    `${kebab(scope.name)} has no function "${word}".${didYouMean(word, names)} It has: ${names.join(", ")}.`,
  );
}
