import { readFile } from "node:fs/promises";
import { posix } from "node:path";
import { DockerfileParser, type Instruction } from "dockerfile-ast";
import { EngineError } from "../../graph/errors.js";
import { Node } from "../../graph/node.js";
import type { Call } from "../../session.js";
import type { ContainerValue } from "../container/value.js";
import { readTree, treeOf } from "../trees.js";
import { copyInstruction } from "./copy.js";
import { runInstruction } from "./run.js";
import { Stage, type Build } from "./stage.js";
import { expandWords, words } from "./words.js";

/** Instructions of Docker's that this engine does not have. */
const KNOWN = new Set(["ONBUILD"]);

export interface DockerBuildArgs {
  dockerfile: string;
  platform?: string;
  buildArgs: { name: string; value: string }[];
  target: string;
  secrets: Node[];
}

/**
 * Builds a Dockerfile by turning each instruction into the operation it means. Implemented: FROM,
 * ARG, ENV, RUN (cache, secret, bind and tmpfs mounts, here-documents), COPY and ADD of local
 * files, WORKDIR, USER, LABEL, EXPOSE, ENTRYPOINT, CMD, SHELL, HEALTHCHECK, STOPSIGNAL, VOLUME.
 */
export async function dockerBuild(args: DockerBuildArgs, call: Call): Promise<ContainerValue> {
  const directory = call.node.recipe.parent;
  if (!directory) throw new EngineError("dockerBuild without a directory");
  const path = args.dockerfile === "" ? "Dockerfile" : args.dockerfile;
  const text = await textOf(call, directory, path);
  if (text === undefined) {
    throw new EngineError(`failed to read dockerfile: open ${path}: no such file or directory`);
  }
  const ignored =
    (await textOf(call, directory, `${path}.dockerignore`)) ??
    (await textOf(call, directory, ".dockerignore"));
  const op: Build["op"] = (parent, type, field, fieldArgs = {}) =>
    call.session.intern(new Node({ type, field, parent, args: fieldArgs }));
  const exclude = (ignored ?? "").split("\n").map((line) => line.trim());
  const patterns = exclude.filter((line) => line !== "" && !line.startsWith("#"));
  const build: Build = {
    call,
    context:
      patterns.length === 0
        ? directory
        : op(directory, "Directory", "filter", {
            exclude: patterns,
            include: [],
            gitignore: false,
          }),
    secrets: args.secrets,
    stages: new Map(),
    op,
  };
  const stage = await runAll(build, text, args);
  return call.session.force<ContainerValue>(stage.node, call.client, call.signal);
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

async function runAll(build: Build, text: string, args: DockerBuildArgs): Promise<Stage> {
  const given = new Map(args.buildArgs.map(({ name, value }) => [name, value]));
  const globals = new Map<string, string>();
  let stage: Stage | undefined;
  let count = 0;
  for (const instruction of DockerfileParser.parse(text).getInstructions()) {
    const keyword = instruction.getKeyword();
    if (keyword === "FROM") {
      if (args.target !== "" && stage?.name === args.target) return stage;
      stage = from(build, instruction, globals, given, args.platform);
      build.stages.set(String(count++), stage);
      if (stage.name !== undefined) build.stages.set(stage.name, stage);
    } else if (!stage) {
      if (keyword !== "ARG")
        throw new EngineError(`line ${line(instruction)}: ${keyword} before FROM`);
      declare(globals, instruction, given, globals);
    } else {
      await apply(build, stage, instruction, given, globals);
    }
  }
  if (!stage) throw new EngineError("the Dockerfile has no FROM");
  if (args.target !== "" && stage.name !== args.target) {
    const named = build.stages.get(args.target);
    if (!named)
      throw new EngineError(`target stage ${JSON.stringify(args.target)} could not be found`);
    return named;
  }
  return stage;
}

function line(instruction: Instruction): number {
  return instruction.getRange().start.line + 1;
}

function from(
  build: Build,
  instruction: Instruction,
  globals: ReadonlyMap<string, string>,
  given: ReadonlyMap<string, string>,
  platform: string | undefined,
): Stage {
  const all = expandWords(words(instruction), (name) => globals.get(name) ?? given.get(name));
  const flag = all.find((word) => word.startsWith("--platform="))?.slice("--platform=".length);
  const [image = "", as, name] = all.filter((word) => !word.startsWith("--"));
  if (as !== undefined && as.toUpperCase() !== "AS") {
    throw new EngineError(
      `line ${line(instruction)}: FROM ${all.join(" ")}: expected AS, found ${as}`,
    );
  }
  const known = build.stages.get(image.toLowerCase());
  const wanted = flag ?? platform;
  const empty = build.op(undefined, "Container", "container", wanted ? { platform: wanted } : {});
  const node = known
    ? known.node
    : image === "scratch"
      ? empty
      : build.op(empty, "Container", "from", { address: image });
  return new Stage(build, node, name?.toLowerCase(), known);
}

function declare(
  target: Map<string, string>,
  instruction: Instruction,
  given: ReadonlyMap<string, string>,
  globals: ReadonlyMap<string, string>,
): void {
  for (const word of expandWords(words(instruction), (name) => target.get(name))) {
    const at = word.indexOf("=");
    const name = at < 0 ? word : word.slice(0, at);
    const value = given.get(name) ?? (at < 0 ? globals.get(name) : word.slice(at + 1));
    if (value !== undefined) target.set(name, value);
  }
}

async function apply(
  build: Build,
  stage: Stage,
  instruction: Instruction,
  given: ReadonlyMap<string, string>,
  globals: ReadonlyMap<string, string>,
): Promise<void> {
  const keyword = instruction.getKeyword();
  if (keyword === "RUN") return runInstruction(build, stage, instruction);
  const environment = await stage.environment();
  const all = expandWords(
    words(instruction),
    (name) => environment.get(name) ?? stage.args.get(name),
  );
  const rest = all.filter((word) => !/^--[a-z]/.test(word));
  switch (keyword) {
    case "ARG":
      declare(stage.args, instruction, given, globals);
      return;
    case "ENV":
      for (const [name, value] of pairs(all))
        stage.add("withEnvVariable", { name, value, expand: false });
      return;
    case "LABEL":
      for (const [name, value] of pairs(all)) stage.add("withLabel", { name, value });
      return;
    case "WORKDIR":
      stage.add("withWorkdir", { path: rest[0] ?? "/", expand: false });
      stage.add("withDirectory", {
        path: ".",
        source: build.op(undefined, "Directory", "directory"),
      });
      return;
    case "USER":
      stage.add("withUser", { name: rest[0] ?? "" });
      return;
    case "EXPOSE":
      for (const word of rest) {
        const [port, protocol = "tcp"] = word.split("/");
        stage.add("withExposedPort", {
          port: Number(port),
          protocol: protocol.toUpperCase(),
          experimentalSkipHealthcheck: false,
        });
      }
      return;
    case "ENTRYPOINT":
      stage.add("withEntrypoint", {
        args: stage.command(instruction),
        keepDefaultArgs: stage.hasOwnCommand,
      });
      return;
    case "CMD":
      stage.add("withDefaultArgs", { args: stage.command(instruction) });
      stage.hasOwnCommand = true;
      return;
    case "SHELL":
      stage.shell = stage.command(instruction);
      return;
    case "HEALTHCHECK":
      stage.healthcheck(instruction, all);
      return;
    case "COPY":
    case "ADD":
      copyInstruction(build, stage, line(instruction), keyword, all);
      return;
    case "STOPSIGNAL":
    case "VOLUME":
    case "MAINTAINER":
      // Of no consequence for what Dagger's containers do; images keep them only from their base.
      return;
    default:
      throw new EngineError(
        KNOWN.has(keyword)
          ? `line ${line(instruction)}: ${keyword} is not implemented by the embedded engine; it works on Dagger's engine`
          : `line ${line(instruction)}: unknown instruction: ${keyword}`,
      );
  }
}

/** `A=1 B="2 3"`, or the old form `A the rest`. */
function pairs(all: readonly string[]): [string, string][] {
  const [first = "", ...rest] = all;
  if (!first.includes("=")) return [[first, rest.join(" ")]];
  return all.map((word) => {
    const at = word.indexOf("=");
    return [word.slice(0, at), word.slice(at + 1)];
  });
}
