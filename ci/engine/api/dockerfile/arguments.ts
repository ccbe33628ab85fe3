import type { Instruction } from "dockerfile-ast";
import type { Platform } from "../../images/types.js";
import { platformText } from "../platform.js";
import { expand } from "./expand.js";
import type { Build, Stage } from "./stage.js";
import { joined, words } from "./words.js";

type Values = ReadonlyMap<string, string>;

/** The arguments that every Dockerfile has. What is built on is, as in Dagger, what is built for. */
export function platformArguments(platform: Platform, given: Values): Map<string, string> {
  const { os, architecture, variant = "" } = platform;
  const name = platformText(platform);
  const values = ["BUILD", "TARGET"].flatMap((side): [string, string][] => [
    [`${side}PLATFORM`, name],
    [`${side}OS`, os],
    [`${side}ARCH`, architecture],
    [`${side}VARIANT`, variant],
  ]);
  return new Map(values.map(([key, value]) => [key, given.get(key) ?? value]));
}

/** An ARG before the first FROM. */
export function declareGlobal(
  instruction: Instruction,
  globals: Map<string, string>,
  given: Values,
): void {
  for (const [name, fallback] of declarations(instruction)) {
    const value =
      given.get(name) ??
      (fallback === undefined ? undefined : expand(fallback, (other) => globals.get(other)));
    if (value !== undefined) globals.set(name, value);
  }
}

/** An ARG of a stage: what was given, its default, or a global one. It is seen, and not kept. */
export function declare(build: Build, stage: Stage, instruction: Instruction): void {
  for (const [name, fallback] of declarations(instruction)) {
    const value =
      build.given.get(name) ??
      (fallback === undefined ? build.globals.get(name) : stage.expand(fallback));
    if (value !== undefined) stage.env.set(name, value);
  }
}

function declarations(instruction: Instruction): [name: string, fallback: string | undefined][] {
  return words(joined(instruction)).map((word) => {
    const at = word.indexOf("=");
    return at < 0 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)];
  });
}
