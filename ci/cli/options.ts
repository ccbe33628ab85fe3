import type { Options } from "yargs";
import { usageError } from "./failure.js";
import type { OwnFlags } from "./module/parse.js";
import { PROGRESS, type ProgressChoice } from "./progress/progress.js";
import { ENGINES, type EngineChoice } from "./session/open.js";

export type Given = Readonly<Record<string, unknown>>;

export const FORMATS = ["text", "json"] as const;

/** What every command understands. */
export interface CommonOptions {
  readonly engine: EngineChoice;
  /** Folder of the module, or its address; undefined for the one this command belongs to. */
  readonly mod: string | undefined;
  readonly output: (typeof FORMATS)[number];
  readonly quiet: boolean;
  readonly progress: ProgressChoice;
}

export const commonOptions = {
  engine: {
    choices: ENGINES,
    default: "auto",
    describe: "Engine; auto takes Dagger's when a session or the dagger CLI is there",
    requiresArg: true,
  },
  mod: {
    alias: "m",
    type: "string",
    describe: "Module to call, a folder or an address; default: Slipway itself",
    requiresArg: true,
  },
  output: {
    type: "string",
    describe: "How the result is written to standard output: text or json",
    default: "text",
    requiresArg: true,
  },
  quiet: { alias: "q", type: "boolean", describe: "No progress, only the result" },
  progress: {
    choices: PROGRESS,
    default: "auto",
    describe: "Progress on standard error: live list or plain lines",
    requiresArg: true,
  },
} as const satisfies Readonly<Record<string, Options>>;

/** The same as flags among the words of a function call. */
export const commonFlags: OwnFlags = Object.fromEntries(
  Object.entries(commonOptions).map(([name, option]) => [
    name,
    {
      takesValue: !("type" in option) || option.type !== "boolean",
      ...("alias" in option && { alias: option.alias }),
    },
  ]),
);

/** Checked options, from yargs and then from the words after the command. Throws CliError (2). */
export function readOptions(
  given: Readonly<Record<string, unknown>>,
  own: ReadonlyMap<string, string> = new Map(),
): CommonOptions {
  const text = (name: string) => own.get(name) ?? (given[name] as string | undefined);
  return {
    engine: oneOf("engine", text("engine") ?? "auto", ENGINES),
    mod: text("mod"),
    output: oneOf("output", text("output") ?? "text", FORMATS),
    quiet: own.has("quiet") ? own.get("quiet") === "true" : given.quiet === true,
    progress: oneOf("progress", text("progress") ?? "auto", PROGRESS),
  };
}

function oneOf<T extends string>(name: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((each) => each === value);
  if (found) return found;
  throw usageError(
    `--${name}: expected one of ${allowed.join(", ")}, got ${JSON.stringify(value)}.`,
  );
}
