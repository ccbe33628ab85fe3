import { commonFlags } from "./options.js";

/** The first word that is neither a flag nor a flag's value, and where it stands. */
export function commandOf(argv: readonly string[]): { command: string | undefined; at: number } {
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? "";
    if (word === "--") break;
    if (!word.startsWith("-")) return { command: word, at };
    const name = word.replace(/^--?/, "");
    const flag = Object.entries(commonFlags).find(
      ([long, { alias }]) => long === name || alias === name,
    );
    if (flag?.[1].takesValue) at++;
  }
  return { command: undefined, at: -1 };
}
