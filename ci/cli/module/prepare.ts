import { randomUUID } from "node:crypto";
import { resolve } from "node:path";
import { forwarded } from "../environment.js";
import type { CommonOptions } from "../options.js";
import { refuseUnseen } from "../session/flags.js";
import type { Session } from "../session/open.js";
import { withCluster } from "./cluster.js";
import { coreObject } from "./core.js";
import { loadModule, OWN_MODULE } from "./load.js";
import { parseWords, type Invocation, type OwnFlags, type Step } from "./parse.js";
import { withLogin } from "./login.js";
import { withSafetyKey } from "./safety.js";
import { withSigner } from "./signer.js";
import type { ModuleTypes, ObjectType } from "./types.js";
import type { Value } from "./values.js";

export interface Prepared extends Invocation {
  readonly types: ModuleTypes;
  readonly coreObject: (name: string) => Promise<ObjectType | undefined>;
}

/** Loads the module and reads the words as a call of it, with what the command adds by itself. */
export async function prepare(
  session: Session,
  { mod }: Pick<CommonOptions, "mod">,
  words: {
    readonly start: readonly string[];
    readonly rest: readonly string[];
    readonly ownFlags: OwnFlags;
    readonly collect?: boolean;
    /** Id of this run of the command, for functions that record it. */
    readonly run?: string;
  },
): Promise<Prepared> {
  const types = await loadModule(session, mod ?? OWN_MODULE);
  const known = new Map<string, Promise<ObjectType | undefined>>();
  const core = (name: string) => {
    const found = known.get(name) ?? coreObject(session, name);
    known.set(name, found);
    return found;
  };
  const parsed = await parseWords(words.start, words.rest, {
    types,
    coreObject: core,
    ownFlags: words.ownFlags,
    ...(words.collect && { collect: true }),
  });
  refuseUnseen(words.rest, parsed.own);
  const isOwn = mod === undefined;
  const registry = isOwn ? loopbackOf(parsed.steps) : undefined;
  const steps = parsed.steps.map((step, index) => {
    if (index === 0) {
      const root = withRegistry(withDefaults(step, isOwn), registry);
      return isOwn ? withSafetyKey(root, process.env) : root;
    }
    if (!isOwn) return absoluteExport(step);
    if (parsed.help) return step;
    const told = withCluster(step, process.env, words.run ?? randomUUID().slice(0, 8));
    return absoluteExport(withLogin(withSigner(told, process.env), process.env));
  });
  return { ...parsed, steps, types, coreObject: core };
}

/**
 * What the constructor is told without being asked to: the source is the folder that the command
 * runs in (a module's own default would be where the module lies), and the environment.
 */
function withDefaults(step: Step, isOwn: boolean): Step {
  const args = new Map<string, Value>(step.args);
  for (const arg of step.fn.args) {
    if (args.has(arg.name)) continue;
    if (arg.name === "source" && arg.type.name === "Directory" && (isOwn || arg.required)) {
      args.set(arg.name, { kind: "address", type: "Directory", address: ".", ignore: arg.ignore });
    }
    if (arg.name === "environment" && arg.type.kind === "LIST_KIND") {
      const items = forwarded(process.env).map((pair): Value => ({
        kind: "literal",
        text: JSON.stringify(pair),
      }));
      if (items.length > 0) args.set(arg.name, { kind: "list", items });
    }
  }
  return { fn: step.fn, args };
}

/** `127.0.0.1:5000` when an image is named there: containers need to be told how to reach it. */
function loopbackOf(steps: readonly Step[]): string | undefined {
  for (const { args } of steps) {
    for (const name of ["repository", "reference"]) {
      const value = args.get(name);
      if (value?.kind !== "literal") continue;
      const found = /^"((?:127\.0\.0\.1|localhost):\d+)\//.exec(value.text)?.[1];
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

function withRegistry(step: Step, address: string | undefined): Step {
  if (address === undefined || step.args.has("registry")) return step;
  if (!step.fn.args.some(({ name }) => name === "registry")) return step;
  const value = {
    kind: "address",
    type: "Service",
    address: `tcp://${address}`,
    ignore: [],
  } as const;
  return { fn: step.fn, args: new Map([...step.args, ["registry", value]]) };
}

/** `export --path x` means a path of this machine, relative to this process, not to the engine. */
function absoluteExport(step: Step): Step {
  const path = step.args.get("path");
  if (step.fn.name !== "export" || path?.kind !== "literal") return step;
  const absolute = JSON.stringify(resolve(JSON.parse(path.text) as string));
  return {
    fn: step.fn,
    args: new Map([...step.args, ["path", { kind: "literal", text: absolute }]]),
  };
}
