import { constants } from "node:os";
import { DockerfileParser, type Instruction } from "dockerfile-ast";
import { EngineError } from "../../graph/errors.js";
import { absolute } from "../trees.js";
import { declare } from "./arguments.js";
import { copyInstruction } from "./copy.js";
import { healthcheck } from "./healthcheck.js";
import { exposedPorts } from "./ports.js";
import { runInstruction } from "./run.js";
import { parseExec, type Build, type Stage } from "./stage.js";
import { flagged, joined, words } from "./words.js";

type Apply = (build: Build, stage: Stage, instruction: Instruction) => void | Promise<void>;

/** What each instruction of a stage means. */
const INSTRUCTIONS: Record<string, Apply> = {
  RUN: runInstruction,
  COPY: (build, stage, instruction) => copyInstruction(build, stage, "COPY", joined(instruction)),
  ADD: (build, stage, instruction) => copyInstruction(build, stage, "ADD", joined(instruction)),
  ARG: declare,
  ENV: (_build, stage, instruction) => {
    for (const [name, value] of pairs(stage, joined(instruction))) stage.keep(name, value);
  },
  LABEL: (_build, stage, instruction) => {
    for (const [name, value] of pairs(stage, joined(instruction))) {
      stage.add("withLabel", { name, value });
    }
  },
  WORKDIR: (_build, stage, instruction) => {
    const path = absolute(stage.workdir, one(stage, instruction));
    stage.workdir = path;
    stage.add("withWorkdir", { path, expand: false });
    if (path !== "/") stage.add("__workdir", { path, owner: stage.user });
  },
  USER: (_build, stage, instruction) => {
    stage.user = one(stage, instruction);
    stage.add("withUser", { name: stage.user });
  },
  EXPOSE: (_build, stage, instruction) => {
    for (const word of words(joined(instruction))) {
      for (const port of exposedPorts(stage.expand(word))) {
        stage.add("withExposedPort", { ...port, experimentalSkipHealthcheck: false });
      }
    }
  },
  ENTRYPOINT: (_build, stage, instruction) => {
    stage.add("withEntrypoint", {
      args: stage.command(instruction),
      keepDefaultArgs: stage.hasOwnCommand,
    });
  },
  CMD: (_build, stage, instruction) => {
    stage.add("withDefaultArgs", { args: stage.command(instruction) });
    stage.hasOwnCommand = true;
  },
  SHELL: (_build, stage, instruction) => {
    const shell = parseExec(joined(instruction));
    if (!shell) throw new EngineError(`SHELL requires the arguments to be in JSON form`);
    if (shell.length === 0) throw new EngineError("SHELL requires at least one argument");
    stage.shell = shell;
    stage.add("__image", { config: { Shell: shell } });
  },
  VOLUME: (_build, stage, instruction) => {
    const text = joined(instruction);
    const volumes = (parseExec(text) ?? words(text)).map((word) => stage.expand(word.trim()));
    if (volumes.includes("")) throw new EngineError("VOLUME specified can not be an empty string");
    stage.add("__image", { volumes });
  },
  STOPSIGNAL: (_build, stage, instruction) => {
    const signal = one(stage, instruction);
    if (!isSignal(signal)) throw new EngineError(`invalid signal: ${signal}`);
    stage.add("__image", { config: { StopSignal: signal } });
  },
  HEALTHCHECK: (_build, stage, instruction) => {
    healthcheck(stage, joined(instruction));
  },
  ONBUILD: (_build, stage, instruction) => {
    stage.triggers = [...stage.triggers, instruction.getTextContent().replace(/^\s*\w+\s*/, "")];
    stage.add("__image", { config: { OnBuild: stage.triggers } });
  },
  // The image's author is not part of what Dagger keeps.
  MAINTAINER: () => undefined,
};

/** Refuses what is no instruction, in whichever stage. */
export function checkKnown(instructions: readonly Instruction[]): void {
  for (const instruction of instructions) {
    const keyword = instruction.getKeyword();
    if (keyword === "FROM" || keyword in INSTRUCTIONS) continue;
    throw at(instruction, new EngineError(`unknown instruction: ${keyword}`));
  }
}

export async function apply(build: Build, stage: Stage, instruction: Instruction): Promise<void> {
  try {
    await INSTRUCTIONS[instruction.getKeyword()]?.(build, stage, instruction);
  } catch (error) {
    throw error instanceof EngineError ? at(instruction, error) : error;
  }
}

/** What the image that a stage is built upon has for it to do. */
export async function applyTriggers(build: Build, stage: Stage): Promise<void> {
  const { triggers } = stage;
  stage.triggers = [];
  for (const trigger of triggers) {
    const instructions = DockerfileParser.parse(trigger).getInstructions();
    checkKnown(instructions);
    for (const instruction of instructions) await apply(build, stage, instruction);
  }
}

/** The error with the line that it is about. */
export function at(instruction: Instruction, error: EngineError): EngineError {
  const line = instruction.getRange().start.line + 1;
  return new EngineError(`line ${line}: ${error.message}`, { cause: error });
}

/** The only argument of an instruction, which may have blanks in it. */
function one(stage: Stage, instruction: Instruction): string {
  const { rest } = flagged(joined(instruction));
  if (rest === "") {
    throw new EngineError(`${instruction.getKeyword()} requires exactly one argument`);
  }
  return stage.expand(rest);
}

/** `A=1 B="2 3"`, or the old form `A the rest`. */
function pairs(stage: Stage, text: string): [string, string][] {
  const all = words(text);
  if (all[0]?.includes("=") !== true) {
    const [, name = "", value] = /^(\S+)[ \t]+(.*)$/s.exec(text) ?? [];
    if (value === undefined) throw new EngineError(`${text} must have two arguments`);
    return [[stage.expand(name), stage.expand(value)]];
  }
  return all.map((word) => {
    const at = word.indexOf("=");
    if (at < 0) {
      throw new EngineError(
        `Syntax error - can't find = in ${JSON.stringify(word)}. Must be of the form: name=value`,
      );
    }
    return [stage.expand(word.slice(0, at)), stage.expand(word.slice(at + 1))];
  });
}

function isSignal(name: string): boolean {
  if (/^\d+$/.test(name)) return Number(name) !== 0;
  const known = `SIG${name.toUpperCase().replace(/^SIG/, "")}`;
  return known in constants.signals || /^SIGRTM(IN(\+\d+)?|AX(-\d+)?)$/.test(known);
}
