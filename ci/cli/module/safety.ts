import type { Step } from "./parse.js";

/** The key for safety, out of SAFETY_API_KEY, unless it was given; handed on by its name. */
export function withSafetyKey(
  step: Step,
  { SAFETY_API_KEY: key = "" }: Readonly<Record<string, string | undefined>>,
): Step {
  const takes = step.fn.args.some(({ name }) => name === "safetyKey");
  if (!takes || key === "" || step.args.has("safetyKey")) return step;
  const address = "env://SAFETY_API_KEY";
  const value = { kind: "address", type: "Secret", address, ignore: [] } as const;
  return { fn: step.fn, args: new Map([...step.args, ["safetyKey", value]]) };
}
