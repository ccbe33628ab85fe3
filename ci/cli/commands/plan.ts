import type { EngineEvent } from "../../engine/events.js";
import { CliError, EXIT, usageError } from "../failure.js";
import { explainFailure } from "../module/explain.js";
import { invoke } from "../module/invoke.js";
import { requireArguments, type OwnFlags, type Step } from "../module/parse.js";
import { prepare } from "../module/prepare.js";
import { isObject, type ModuleTypes, type TypeRef } from "../module/types.js";
import { commonFlags, readOptions } from "../options.js";
import { sessionFlags } from "../session/flags.js";
import { openSession } from "../session/open.js";
import { draw, isStyle, STYLES, type PlannedStep } from "../plan.js";
import { call } from "./call.js";

const OWN_FLAGS: OwnFlags = {
  ...commonFlags,
  as: { takesValue: true },
  json: { takesValue: false, alias: "j" },
};

const HELP = `slipway plan deploy [flags]

Shows what a deployment would do: the release, its steps with the shares that are really reached,
its objects. It asks the cluster and the registries and changes nothing.

slipway plan FUNCTION [flags] [FUNCTION [flags]]… --as ${STYLES.join("|")}

--output json and -j are --as json.
Shows the steps of a function without running any: images, commands, services, publications, and
what each needs. Steps whose result is in the cache are marked. A function is run to learn its
graph, with an engine that runs no command: where the function waits for the result of a command
that is not in the cache, its plan ends. Only the embedded engine can plan.
`;

/** `slipway plan FUNCTION [flags]`: the graph as a tree, as a Mermaid diagram or as JSON; of deploy, what it would do. */
export async function plan(
  given: Readonly<Record<string, unknown>>,
  words: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const [first = "", ...flags] = words;
  // A deployment's graph says little: what it does depends on what the cluster answers.
  if (first === "deploy" && !flags.some((word) => /^--as(=|$)/.test(word))) {
    await call(given, ["plan"], flags, signal);
    return;
  }
  const common = readOptions({ ...given, output: "text" }, sessionFlags(words));
  if (common.engine === "dagger") throw usageError("plan needs the embedded engine.");
  const steps = new Map<string, PlannedStep>();
  const onStep = (event: EngineEvent) => {
    const known = event.event === "known" ? steps.get(event.digest) : undefined;
    if (known) known.cached = true;
    if (event.event !== "planned") return;
    const { digest, name, after } = event;
    steps.set(digest, { digest, name, after, cached: false });
  };
  const session = await openSession({ engine: "embedded", onStep, signal, plan: true });
  let style = "tree";
  let stopped: unknown;
  let called: readonly Step[] = [];
  try {
    const prepared = await prepare(session, common, {
      start: [],
      rest: words,
      ownFlags: OWN_FLAGS,
    });
    const last = prepared.steps.at(-1);
    if (prepared.help || prepared.steps.length === 1 || !last) {
      if (!prepared.help) throw usageError(`plan what?\n\n${HELP}`);
      process.stdout.write(HELP);
      return;
    }
    const { own } = prepared;
    const json = readOptions(given, own).output === "json" || own.has("json");
    style = own.get("as") ?? (json ? "json" : style);
    if (!isStyle(style)) throw usageError(`--as: expected one of ${STYLES.join(", ")}.`);
    requireArguments(prepared.steps);
    const { returns } = last.fn;
    const selection = question(returns.element ?? returns, prepared.types);
    called = prepared.steps;
    await invoke(session, called, selection).catch((error: unknown) => {
      stopped = error;
    });
  } finally {
    // The engine's end brings the last of its events.
    await session.close();
  }
  const end = stopped === undefined ? undefined : await endOf(stopped, called);
  if (steps.size === 0) {
    throw end ?? new CliError("nothing of the function runs in a container", EXIT.usage);
  }
  process.stdout.write(draw([...steps.values()], isStyle(style) ? style : "tree"));
  if (end) process.stderr.write(`the plan ends here: ${end.message}\n`);
}

/**
 * Why a plan ends before the function does.
 *
 * @throws what the project or the engine is at fault for: of that there is no plan.
 */
async function endOf(stopped: unknown, steps: readonly Step[]): Promise<CliError> {
  const error = await explainFailure(stopped, steps);
  if (!(error instanceof CliError) || error.exitCode === EXIT.usage) throw error;
  return error;
}

/** What to ask of a function's result so that the function runs: naming an object runs nothing. */
function question(returns: TypeRef, types: ModuleTypes): string {
  if (!isObject(returns)) return "";
  if (["Container", "Directory", "File"].includes(returns.name)) return "{ sync }";
  const own = types.object(returns.name)?.functions ?? [];
  const plain = own.find(
    (fn) =>
      !isObject(fn.returns.element ?? fn.returns) && fn.args.every(({ required }) => !required),
  );
  return `{ ${plain?.name ?? "id"} }`;
}
