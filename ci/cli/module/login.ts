import type { Step } from "./parse.js";
import type { Value } from "./values.js";

/** Who reads and writes the registry, out of REGISTRY_USER and REGISTRY_TOKEN, unless it was given. */
export function withLogin(step: Step, env: Readonly<Record<string, string | undefined>>): Step {
  const { REGISTRY_USER: user = "", REGISTRY_TOKEN: token = "" } = env;
  const takes = (name: string): boolean => step.fn.args.some((arg) => arg.name === name);
  // Who names one half by a flag does not mean the other one that happens to be there.
  if (["username", "password"].some((name) => !takes(name) || step.args.has(name))) return step;
  const args = new Map<string, Value>(step.args);
  if (user !== "") args.set("username", { kind: "literal", text: JSON.stringify(user) });
  if (token !== "")
    args.set("password", {
      ...{ kind: "address", type: "Secret", address: "env://REGISTRY_TOKEN", ignore: [] },
    });
  return { fn: step.fn, args };
}
