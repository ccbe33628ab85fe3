import { mkdir, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { usageError } from "../failure.js";
import { kebab } from "../names.js";
import { explainFailure } from "../module/explain.js";
import { functionHelp, SIGNER } from "../module/help.js";
import { invoke, plainFields } from "../module/invoke.js";
import { folderOf } from "../module/load.js";
import { requireArguments, type OwnFlags } from "../module/parse.js";
import { prepare, type Prepared } from "../module/prepare.js";
import { isObject, typeName } from "../module/types.js";
import { commonFlags, FORMATS, readOptions, type CommonOptions } from "../options.js";
import { withSession } from "../run.js";
import { sessionFlags } from "../session/flags.js";
import type { Session } from "../session/open.js";

const OWN_FLAGS: OwnFlags = {
  ...commonFlags,
  export: { takesValue: true, alias: "o" },
  json: { takesValue: false, alias: "j" },
};

/** Functions that no cache answers. */
const EFFECTS = ["publish", "sign", "diff"];

/** `slipway call FUNCTION [flags] [FUNCTION…]`; `start` holds functions that are named already. */
export async function call(
  given: Readonly<Record<string, unknown>>,
  start: readonly string[],
  words: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const common = readOptions({ ...given, output: "text" }, sessionFlags(words));
  const eager = EFFECTS.includes(start[0] ?? "") ? folderOf(common) : undefined;
  await withSession({ ...common, eager }, signal, async (session, settle) => {
    const prepared = await prepare(session, common, { start, rest: words, ownFlags: OWN_FLAGS });
    if (prepared.help || prepared.steps.length === 1) {
      if (!prepared.help) throw usageError(`call what?\n\n${await help(prepared, start)}`);
      process.stdout.write(await help(prepared, start));
      return;
    }
    const target = resultTarget(given, prepared.own);
    requireArguments(prepared.steps);
    try {
      const text = await deliver(session, prepared, target);
      settle();
      process.stdout.write(text);
    } catch (error) {
      throw await explainFailure(error, prepared.steps);
    }
  });
}

interface Target {
  readonly path: string | undefined;
  readonly format: CommonOptions["output"];
}

/** `--output json` is a format; `--output image.tar` is a place, as in `dagger call`. */
function resultTarget(
  given: Readonly<Record<string, unknown>>,
  own: ReadonlyMap<string, string>,
): Target {
  const output = own.get("output") ?? (given.output as string | undefined) ?? "text";
  const format = FORMATS.find((each) => each === output);
  const path = own.get("export") ?? (format ? undefined : output);
  return {
    path: path === undefined ? undefined : resolve(path),
    format: own.has("json") ? "json" : (format ?? "text"),
  };
}

/** Calls; gives what is to be shown: the result, or the path that it was written to. */
async function deliver(
  session: Session,
  { steps, types }: Prepared,
  target: Target,
): Promise<string> {
  const last = steps.at(-1);
  if (!last) return "";
  const { returns } = last.fn;
  const element = returns.element ?? returns;
  if (!isObject(element)) {
    return write(await invoke(session, steps, ""), target);
  }
  const isCore = types.object(element.name) === undefined;
  if (target.path !== undefined) {
    if (!isCore || !["Container", "Directory", "File"].includes(element.name) || returns.element) {
      throw usageError(
        `${kebab(last.fn.name)} returns ${typeName(returns)}, which cannot be written to a path; a Container, Directory, File or text can.`,
      );
    }
    await mkdir(dirname(target.path), { recursive: true });
    await invoke(session, steps, `{ export(path: ${JSON.stringify(target.path)}) }`);
    return `${target.path}\n`;
  }
  const fields = isCore ? coreFields(element.name) : plainFields(last.fn, types);
  if (fields.length === 0) {
    throw usageError(
      `${kebab(last.fn.name)} returns ${typeName(returns)}: name one of its functions, see --help.`,
    );
  }
  // Naming an object runs nothing; this is what was asked for.
  const sync = ["Container", "Directory", "File"].includes(element.name) ? "sync " : "";
  return write(await invoke(session, steps, `{ ${sync}${fields.join(" ")} }`), target, fields);
}

/** What is shown of an object of Dagger's API. */
function coreFields(name: string): string[] {
  switch (name) {
    case "Container":
      return ["user", "workdir", "entrypoint", "defaultArgs"];
    case "Directory":
      return ["entries"];
    case "File":
      return ["name", "size"];
    default:
      return [];
  }
}

async function write(
  value: unknown,
  { path, format }: Target,
  fields?: readonly string[],
): Promise<string> {
  const shown = fields ? pick(value, fields) : value;
  const text = format === "json" ? `${JSON.stringify(shown, null, 2)}\n` : plain(shown);
  if (path === undefined) return text;
  await mkdir(dirname(path), { recursive: true });
  // A file gets the text as it is; the newline is for the terminal.
  await writeFile(path, typeof shown === "string" && format === "text" ? shown : text);
  return `${path}\n`;
}

function pick(value: unknown, fields: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((item) => pick(item, fields));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    fields.map((field) => [field, (value as Record<string, unknown>)[field]]),
  );
}

function plain(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (Array.isArray(value)) return value.map(plain).join("");
  if (typeof value === "object") {
    const lines = Object.entries(value).map(([name, item]) => `${kebab(name)}: ${inline(item)}`);
    return `${lines.join("\n")}\n`;
  }
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.endsWith("\n") ? text : `${text}\n`;
}

function inline(value: unknown): string {
  if (Array.isArray(value)) return value.map(inline).join(" ");
  return typeof value === "string" ? value : JSON.stringify(value);
}

async function help(
  { steps, types, coreObject }: Prepared,
  start: readonly string[],
): Promise<string> {
  const [root, ...rest] = steps;
  const last = steps.at(-1);
  if (!root || !last) return "";
  const path = rest.map(({ fn }) => kebab(fn.name)).join(" ");
  const element = last.fn.returns.element ?? last.fn.returns;
  const result = isObject(element)
    ? (types.object(element.name) ?? (await coreObject(element.name)))
    : undefined;
  const command = start.length > 0 ? path : `call ${path === "" ? "FUNCTION" : path}`;
  const tail = result && path !== "" ? " [FUNCTION [flags]]…" : "";
  const text = functionHelp(
    `slipway ${command} [flags]${tail}`,
    last.fn,
    last === root ? undefined : root.fn,
    result,
  );
  return `${text}
Flags of the command:
  --output text|json, -j  how the result is written to standard output; any other word is a path, as of -o
  -o, --export PATH       write a Container, Directory, File or text to PATH
  -m, --mod MODULE        another module: a folder or an address
  --engine, --progress, -q, --quiet: see slipway --help
${last.fn.args.some(({ name }) => name === "keyReference") ? `\n${SIGNER}` : ""}`;
}
