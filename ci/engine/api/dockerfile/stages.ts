import type { Instruction } from "dockerfile-ast";
import { EngineError } from "../../graph/errors.js";
import type { Node } from "../../graph/node.js";
import { platformText } from "../platform.js";
import { expand } from "./expand.js";
import { apply, applyTriggers, at } from "./instructions.js";
import { Stage, type Build } from "./stage.js";
import { flagged, joined, words } from "./words.js";

interface Part {
  readonly from: Instruction;
  readonly body: readonly Instruction[];
  /** The image or the stage that it is built upon. */
  readonly base: string;
  readonly name: string | undefined;
  readonly platform: string | undefined;
}

/** The stages of a Dockerfile. Those that the result needs are built, each once. */
export class Stages {
  private readonly parts: readonly Part[];
  private readonly built = new Map<number, Promise<Stage>>();
  private readonly build: Build;

  constructor(build: Omit<Build, "root">, instructions: readonly Instruction[]) {
    this.build = { ...build, root: (name, stage) => this.root(name, stage) };
    const starts = instructions.flatMap((instruction, index) =>
      instruction.getKeyword() === "FROM" ? [index] : [],
    );
    this.parts = starts.map((start, index) => {
      const [from, ...body] = instructions.slice(start, starts[index + 1]) as [Instruction];
      try {
        return { from, body, ...this.header(joined(from)) };
      } catch (error) {
        throw error instanceof EngineError ? at(from, error) : error;
      }
    });
  }

  /** The stage of that name, or the last one. */
  target(name: string): Promise<Stage> {
    if (name === "") return this.stage(this.parts.length - 1);
    const index = this.named(name.toLowerCase());
    if (index < 0) {
      throw new EngineError(`target stage ${JSON.stringify(name)} could not be found`);
    }
    return this.stage(index);
  }

  private header(text: string): Pick<Part, "base" | "name" | "platform"> {
    const value = (word: string) => expand(word, (name) => this.build.globals.get(name));
    const { flags, rest } = flagged(text);
    const [base = "", as, name, ...more] = words(rest);
    if (base === "" || more.length > 0 || (as !== undefined && name === undefined)) {
      throw new EngineError("FROM requires either one or three arguments");
    }
    if (as !== undefined && as.toUpperCase() !== "AS") {
      throw new EngineError(`FROM ${rest}: expected AS, found ${as}`);
    }
    if (name !== undefined && !/^[a-z][a-z0-9-_.]*$/i.test(name)) {
      throw new EngineError(
        `invalid name for build stage: ${JSON.stringify(name)}, name can't start with a number or contain symbols`,
      );
    }
    const [flag, ...others] = flags;
    if (flag?.startsWith("platform=") === false || others.length > 0) {
      throw new EngineError(`unknown flag: ${(others[0] ?? flag ?? "").replace(/=.*/s, "")}`);
    }
    if (value(base) === "") throw new EngineError(`base name (${base}) should not be blank`);
    return {
      base: value(base),
      name: name?.toLowerCase(),
      platform: flag === undefined ? undefined : value(flag.slice("platform=".length)),
    };
  }

  /** The last stage of that name; with `before`, of those that come earlier. */
  private named(name: string, before = this.parts.length): number {
    return this.parts.slice(0, before).findLastIndex((part) => part.name === name);
  }

  private stage(index: number): Promise<Stage> {
    const known = this.built.get(index) ?? this.make(index);
    this.built.set(index, known);
    return known;
  }

  private async make(index: number): Promise<Stage> {
    const part = this.parts[index];
    if (!part) throw new EngineError(`invalid stage index ${index}`);
    const base = this.named(part.base, index);
    const stage =
      base < 0
        ? await Stage.ofImage(this.build, index, this.image(part.base, part.platform))
        : Stage.upon(this.build, index, await this.stage(base));
    if (part.base === "scratch" && base < 0) {
      stage.workdir = "/";
      stage.add("withWorkdir", { path: "/", expand: false });
    }
    await applyTriggers(this.build, stage);
    for (const instruction of part.body) await apply(this.build, stage, instruction);
    return stage;
  }

  private image(address: string, platform?: string): Node {
    const wanted = platform ?? platformText(this.build.platform);
    const empty = this.build.op(undefined, "Container", "container", { platform: wanted });
    return address === "scratch" ? empty : this.build.op(empty, "Container", "from", { address });
  }

  /** What `--from` names: a stage by name or number, or an image. */
  private async root(name: string, stage: Stage): Promise<Node> {
    const index = /^\d+$/.test(name) ? Number(name) : this.named(name.toLowerCase());
    if (index >= stage.index) {
      throw new EngineError(
        index >= this.parts.length
          ? `invalid stage index ${index}`
          : `cannot copy from stage ${JSON.stringify(name)}, it needs to be defined before current stage`,
      );
    }
    const node = index < 0 ? this.image(name) : (await this.stage(index)).node;
    return this.build.op(node, "Directory", "rootfs");
  }
}
