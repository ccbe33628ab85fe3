import { JSONInstruction, type Instruction } from "dockerfile-ast";
import type { Node } from "../../graph/node.js";
import type { Call } from "../../session.js";
import { environment, type ContainerValue } from "../container/value.js";
import { joined } from "./words.js";

/** One build stage while its instructions are read. */
export class Stage {
  /** ARG values, seen by later instructions and by RUN, but not kept in the image. */
  readonly args = new Map<string, string>();
  shell: string[] = ["/bin/sh", "-c"];
  /** A CMD of this Dockerfile survives a later ENTRYPOINT; one of the base image does not. */
  hasOwnCommand = false;

  constructor(
    private readonly build: Build,
    public node: Node,
    readonly name: string | undefined,
    base: Stage | undefined,
  ) {
    if (base) this.shell = base.shell;
  }

  add(field: string, args: Record<string, unknown>): void {
    this.node = this.build.op(this.node, "Container", field, args);
  }

  async environment(): Promise<Map<string, string>> {
    const { session, client, signal } = this.build.call;
    return environment(await session.force<ContainerValue>(this.node, client, signal));
  }

  /** A command in exec form as it is, in shell form behind the shell. */
  command(instruction: Instruction): string[] {
    const exec = execForm(instruction);
    return exec ?? [...this.shell, joined(instruction)];
  }

  healthcheck(instruction: Instruction, all: readonly string[]): void {
    const option = (name: string) =>
      all.find((word) => word.startsWith(`--${name}=`))?.slice(name.length + 3);
    const rest = all.filter((word) => !word.startsWith("--"));
    if (rest[0]?.toUpperCase() === "NONE") {
      this.add("withoutDockerHealthcheck", {});
      return;
    }
    const text = joined(instruction).replace(/^.*?\bCMD\s+/is, "");
    const exec = parseExec(text);
    this.add("withDockerHealthcheck", {
      args: exec ?? [text],
      shell: exec === undefined,
      interval: option("interval"),
      timeout: option("timeout"),
      startPeriod: option("start-period"),
      startInterval: option("start-interval"),
      ...(option("retries") !== undefined && { retries: Number(option("retries")) }),
    });
  }
}

function execForm(instruction: Instruction): string[] | undefined {
  return instruction instanceof JSONInstruction ? parseExec(joined(instruction)) : undefined;
}

export function parseExec(text: string): string[] | undefined {
  if (!text.startsWith("[")) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((item) => typeof item === "string")
      ? value
      : undefined;
  } catch {
    return undefined;
  }
}

/** What the instructions of one Dockerfile share. */
export interface Build {
  readonly call: Call;
  /** The build context without what .dockerignore names. */
  readonly context: Node;
  readonly secrets: readonly Node[];
  readonly stages: Map<string, Stage>;
  /** Makes a node of the graph, as a client's query would. */
  op(parent: Node | undefined, type: string, field: string, args?: Record<string, unknown>): Node;
}
