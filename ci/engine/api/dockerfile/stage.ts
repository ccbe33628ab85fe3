import type { Instruction } from "dockerfile-ast";
import { EngineError } from "../../graph/errors.js";
import type { Node } from "../../graph/node.js";
import type { Platform } from "../../images/types.js";
import type { Call } from "../../session.js";
import { environment, type ContainerValue } from "../container/value.js";
import { expand } from "./expand.js";
import { exposedPorts } from "./ports.js";
import { joined } from "./words.js";

const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** One build stage while its instructions are read. */
export class Stage {
  /** The variables that instructions and RUN see: those of the image, ENV and ARG, in their order. */
  readonly env: Map<string, string>;
  /** Those of them that stay in the image. */
  readonly kept: Map<string, string>;
  shell: readonly string[] = ["/bin/sh", "-c"];
  user = "";
  workdir = "";
  /** Instructions for what is built upon this. */
  triggers: readonly string[] = [];
  /** Where a secret is mounted, which it stays. */
  readonly secrets: Set<string>;
  /** A CMD of this Dockerfile survives a later ENTRYPOINT; one of the base image does not. */
  hasOwnCommand = false;

  private constructor(
    private readonly build: Build,
    /** Stages before this one can be copied from. */
    readonly index: number,
    public node: Node,
    base?: Stage,
  ) {
    this.env = new Map(base?.env);
    this.kept = new Map(base?.kept);
    this.secrets = new Set(base?.secrets);
  }

  static upon(build: Build, index: number, base: Stage): Stage {
    const stage = new Stage(build, index, base.node, base);
    stage.shell = base.shell;
    stage.user = base.user;
    stage.workdir = base.workdir;
    stage.triggers = base.triggers;
    return stage;
  }

  static async ofImage(build: Build, index: number, node: Node): Promise<Stage> {
    const { session, client, signal } = build.call;
    const container = await session.force<ContainerValue>(node, client, signal);
    const stage = new Stage(build, index, node);
    const { ExposedPorts, User = "", WorkingDir = "", Shell, OnBuild } = container.config;
    for (const [name, value] of environment(container)) {
      stage.env.set(name, value);
      stage.kept.set(name, value);
    }
    if (!stage.kept.has("PATH")) stage.keep("PATH", DEFAULT_PATH);
    stage.user = User;
    stage.workdir = WorkingDir;
    if (isTexts(Shell) && Shell.length > 0) stage.shell = Shell;
    if (isTexts(OnBuild)) stage.triggers = OnBuild;
    // What an image exposes is exposed by hand in what is built upon it: services wait for that.
    for (const spec of Object.keys(ExposedPorts ?? {}).sort()) {
      for (const port of exposedPorts(spec)) {
        stage.add("withExposedPort", { ...port, experimentalSkipHealthcheck: false });
      }
    }
    return stage;
  }

  add(field: string, args: Record<string, unknown>): void {
    this.node = this.build.op(this.node, "Container", field, args);
  }

  /** Sets a variable of the image. */
  keep(name: string, value: string): void {
    this.env.set(name, value);
    this.kept.set(name, value);
    this.add("withEnvVariable", { name, value, expand: false });
  }

  expand(word: string): string {
    return expand(word, (name) => this.env.get(name));
  }

  /** A command in exec form as it is, in shell form behind the shell. */
  command(instruction: Instruction): string[] {
    const text = joined(instruction);
    return parseExec(text) ?? [...this.shell, text];
  }
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

export function parseExec(text: string): string[] | undefined {
  if (!text.startsWith("[")) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (isTexts(value)) return value;
  if (!Array.isArray(value)) return undefined;
  throw new EngineError("when using JSON array syntax, arrays must be comprised of strings only");
}

/** What the instructions of one Dockerfile share. */
export interface Build {
  readonly call: Call;
  /** The build context without what .dockerignore names. */
  readonly context: Node;
  readonly secrets: readonly Node[];
  readonly noInit: boolean;
  readonly platform: Platform;
  /** Build arguments that were given. */
  readonly given: ReadonlyMap<string, string>;
  /** Arguments before the first FROM, and those of the platform. */
  readonly globals: ReadonlyMap<string, string>;
  /** The file system of a stage before `stage`, or of an image. */
  root(name: string, stage: Stage): Promise<Node>;
  /** Makes a node of the graph, as a client's query would. */
  op(parent: Node | undefined, type: string, field: string, args?: Record<string, unknown>): Node;
}
