import { readFile } from "node:fs/promises";
import { posix } from "node:path";
import { DockerfileParser, type Instruction, type ParserDirective } from "dockerfile-ast";
import { EngineError } from "../../graph/errors.js";
import { Node } from "../../graph/node.js";
import type { Call } from "../../session.js";
import type { ContainerValue } from "../container/value.js";
import { platformOf } from "../platform.js";
import { readTree, treeOf } from "../trees.js";
import type { SecretValue } from "../values.js";
import { declareGlobal, platformArguments } from "./arguments.js";
import { at, checkKnown } from "./instructions.js";
import type { Build, Stage } from "./stage.js";
import { Stages } from "./stages.js";

export interface DockerBuildArgs {
  dockerfile: string;
  platform?: string;
  buildArgs: { name: string; value: string }[];
  target: string;
  secrets: Node[];
  noInit: boolean;
}

/**
 * Builds a Dockerfile by turning each instruction into the operation it means. Left out, and
 * refused by name: here-documents and URLs of COPY and ADD, `RUN --network`, `# escape`, mounts of
 * ssh, and what Dagger's engine fails on as well.
 */
export async function dockerBuild(args: DockerBuildArgs, call: Call): Promise<ContainerValue> {
  const directory = call.node.recipe.parent;
  if (!directory) throw new EngineError("dockerBuild without a directory");
  const path = args.dockerfile === "" ? "Dockerfile" : args.dockerfile;
  const text = await textOf(call, directory, path);
  if (text === undefined) {
    throw new EngineError(`failed to read dockerfile: open ${path}: no such file or directory`);
  }
  const dockerfile = DockerfileParser.parse(text);
  dockerfile.getDirectives().forEach(checkDirective);
  const instructions = dockerfile.getInstructions();
  checkKnown(instructions);
  const first = instructions.findIndex((instruction) => instruction.getKeyword() === "FROM");
  if (first < 0) throw new EngineError("dockerfile contains no stages to build");
  const platform = platformOf(args.platform, call);
  const given = new Map(args.buildArgs.map(({ name, value }) => [name, value]));
  const op: Build["op"] = (parent, type, field, fieldArgs = {}) =>
    call.session.intern(new Node({ type, field, parent, args: fieldArgs }));
  const stages = new Stages(
    {
      call,
      context: await contextOf(call, directory, path, op),
      secrets: args.secrets,
      noInit: args.noInit,
      platform,
      given,
      globals: globalsOf(instructions.slice(0, first), platformArguments(platform, given), given),
      op,
    },
    instructions.slice(first),
  );
  const stage = await stages.target(args.target);
  await mountGiven(call, stage, args.secrets);
  return call.session.force<ContainerValue>(stage.node, call.client, call.signal);
}

/** A comment at the top that asks for another reading of the file. */
function checkDirective(directive: ParserDirective): void {
  const [value = ""] = directive.getValue().split(" ");
  const name = directive.getName().toLowerCase();
  if (name === "escape" && value !== "\\") {
    throw new EngineError(
      `# escape=${value} is not implemented by the embedded engine; it works on Dagger's engine`,
    );
  }
  const known = /^((index\.)?docker\.io\/)?(docker|moby)\/dockerfile(-upstream)?([:@]|$)/i;
  if (name === "syntax" && !known.test(value)) {
    throw new EngineError(`dockerBuild syntax frontend ${JSON.stringify(value)} is unsupported`);
  }
}

async function textOf(call: Call, directory: Node, path: string): Promise<string | undefined> {
  const tree = await treeOf(call, directory);
  const file = { ...tree, path: posix.join(tree.path, path) };
  return readTree(call.session.engine.store, file, (host) => readFile(host, "utf8")).catch(
    (error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    },
  );
}

/** The directory without what .dockerignore names; one that is the Dockerfile's own comes first. */
async function contextOf(
  call: Call,
  directory: Node,
  path: string,
  op: Build["op"],
): Promise<Node> {
  const own = (await textOf(call, directory, `${path}.dockerignore`)) ?? "";
  const ignored = own === "" ? ((await textOf(call, directory, ".dockerignore")) ?? "") : own;
  const exclude = ignored
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    // Of all lists of patterns this one may call the context's root a slash.
    .map((line) => line.replace(/^(!?)\s*\/+(?=.)/, "$1"));
  if (exclude.length === 0) return directory;
  return op(directory, "Directory", "filter", { exclude, include: [], gitignore: false });
}

function globalsOf(
  instructions: readonly Instruction[],
  globals: Map<string, string>,
  given: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  for (const instruction of instructions) {
    if (instruction.getKeyword() !== "ARG") {
      throw at(instruction, new EngineError("no build stage in current context"));
    }
    declareGlobal(instruction, globals, given);
  }
  return globals;
}

/** The secrets that were given are there for the commands that follow, as in Dagger. */
async function mountGiven(call: Call, stage: Stage, secrets: readonly Node[]): Promise<void> {
  for (const source of secrets) {
    const { name } = await call.session.force<SecretValue>(source, call.client, call.signal);
    const path = `/run/secrets/${name}`;
    if (stage.secrets.has(path)) continue;
    stage.secrets.add(path);
    stage.add("withMountedSecret", { path, source, owner: "", mode: 0o400, expand: false });
  }
}
