import { usageError } from "../failure.js";
import { commonFlags } from "../options.js";

/** Flags of Slipway's functions that take no value. */
export const SWITCHES: readonly string[] = ["overwrite", "skip-verification", "keep-waiting"];

/** Those of the commands, the short ones too. */
const OWN_SWITCHES = ["json", "j", "help", "h"];

/** Flags that decide how to begin; how a result is written is decided later. */
const EARLY = Object.entries(commonFlags).filter(([flag]) => flag !== "output");

/**
 * Flags that decide how to begin, picked out before the module's types are known. What follows a flag that
 * takes a value is its value, also when it looks like a flag: `--args -q`. Which flags of another module take
 * one nobody knows yet: there, the whole name of a flag of ours is taken for that.
 */
export function sessionFlags(words: readonly string[]): Map<string, string> {
  const flags = new Map<string, string>();
  const isOwn = !words.some((word) => /^(--mod|-m)(=|$)/.test(word));
  for (let at = 0; at < words.length; at++) {
    const [, name, inline] = /^--?([^=]+)(?:=(.*))?$/s.exec(words[at] ?? "") ?? [];
    if (name === undefined) continue;
    const [flag, { takesValue }] = EARLY.find(
      ([long, { alias }]) => long === name || alias === name,
    ) ?? [undefined, { takesValue: !isSwitch(name) }];
    const next = words[at + 1];
    if (flag !== undefined) flags.set(flag, inline ?? (takesValue ? (next ?? "") : "true"));
    const isValue = flag !== undefined || isOwn || !isEarly(next);
    if (takesValue && inline === undefined && isValue) at++;
  }
  return flags;
}

/**
 * Makes sure that nothing was begun otherwise than the words say.
 *
 * @param own Flags of the command, read with the module's types.
 * @throws CliError (2) for a flag that was taken for the value of the one before it.
 */
export function refuseUnseen(words: readonly string[], own: ReadonlyMap<string, string>): void {
  const early = sessionFlags(words);
  for (const [flag] of EARLY) {
    if (!own.has(flag) || early.get(flag) === own.get(flag)) continue;
    throw usageError(
      `--${flag} could be the value of the flag before it, and was taken for that: write it before the function, or that flag's value with "=".`,
    );
  }
}

function isSwitch(name: string): boolean {
  return OWN_SWITCHES.includes(name) || SWITCHES.includes(name);
}

function isEarly(word = ""): boolean {
  return EARLY.some(([flag]) => word === `--${flag}` || word.startsWith(`--${flag}=`));
}
