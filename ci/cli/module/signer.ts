import type { Step } from "./parse.js";
import type { Value } from "./values.js";

/** Variables that cosign's users and GitHub's jobs know, by the argument that takes each. */
const SIGNER: Readonly<Record<string, string>> = {
  key: "COSIGN_PRIVATE_KEY",
  keyPassword: "COSIGN_PASSWORD",
  identityToken: "SIGSTORE_ID_TOKEN",
  requestUrl: "ACTIONS_ID_TOKEN_REQUEST_URL",
  requestToken: "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
};

/** Who signs, out of the environment, unless it was given; a secret is handed on by its name. */
export function withSigner(step: Step, env: Readonly<Record<string, string | undefined>>): Step {
  const args = new Map<string, Value>(step.args);
  // Who says by a flag who signs does not mean another key that happens to be there.
  const chosen = ["key", "keyReference", "identityToken"].some((name) => args.has(name));
  for (const { name, type } of step.fn.args) {
    const variable = SIGNER[name];
    const value = variable === undefined ? undefined : env[variable];
    if (args.has(name) || variable === undefined || value === undefined) continue;
    if (chosen && name !== "keyPassword") continue;
    // An empty key is a mistake that is told; an empty token is none.
    if (value === "" && !name.startsWith("key")) continue;
    if (type.name === "Secret")
      args.set(name, { kind: "address", type: "Secret", address: `env://${variable}`, ignore: [] });
    else args.set(name, { kind: "literal", text: JSON.stringify(value) });
  }
  return { fn: step.fn, args };
}
