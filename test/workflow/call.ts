import { kebab } from "../../ci/cli/names.js";
import { register } from "../module/registration.js";

const registered = await register();

/** One `dagger call`, taken apart. */
export interface Call {
  /** The function, as the command line spells it. */
  readonly fn: string;
  /** By flag, without dashes. */
  readonly flags: Readonly<Record<string, readonly string[]>>;
  /** What is asked of the result. */
  readonly field: string;
}

/**
 * Reads the words of a `dagger call` against the module's own functions.
 *
 * @throws Error for a flag that its function does not take, and for a field that there is none of.
 */
export function readCall(words: readonly string[]): Call {
  const [command, m, , ...rest] = words;
  if (command !== "call" || m !== "-m") throw new Error(`no call of a module: ${words.join(" ")}`);
  const ours = registered.filter(({ owner }) => owner === "Slipway");
  let scope = flagsOf(ours.find(({ name }) => name === "")?.args);
  let fn = "";
  let field = "";
  const flags: Record<string, string[]> = {};
  for (let at = 0; at < rest.length; at++) {
    const word = rest[at] ?? "";
    const flag = /^--([a-z-]+)(?:=(.*))?$/s.exec(word);
    if (flag) {
      const [, name = "", value = rest[++at] ?? ""] = flag;
      if (!scope.has(name)) throw new Error(`${fn || "the module"} takes no --${name}`);
      flags[name] = [...(flags[name] ?? []), value];
    } else if (fn === "") {
      const found = ours.find(({ name }) => kebab(name) === word);
      if (!found) throw new Error(`the module has no function ${word}`);
      fn = word;
      scope = flagsOf(found.args);
    } else {
      if (!registered.some(({ owner, name }) => owner === "Delivery" && kebab(name) === word))
        throw new Error(`a delivery has no ${word}`);
      field = word;
      scope = new Set();
    }
  }
  return { fn, flags, field };
}

function flagsOf(args: readonly { name: string }[] = []): Set<string> {
  return new Set(args.map(({ name }) => kebab(name)));
}
