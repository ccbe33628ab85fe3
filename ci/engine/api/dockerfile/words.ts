import type { Instruction } from "dockerfile-ast";

/** The words of an instruction as written: continuation lines joined, comments between them dropped. */
export function words(instruction: Instruction): string[] {
  return joined(instruction).match(/(?:\\.|"(?:\\.|[^"\\])*"|'[^']*'|[^\s"'\\])+/gs) ?? [];
}

/** The text after the keyword, flags included, as written. */
export function raw(instruction: Instruction): string {
  return instruction.getTextContent().replace(/^\s*\w+\s*/, "");
}

/** The text after the keyword on one line. */
export function joined(instruction: Instruction): string {
  return raw(instruction)
    .replace(/\n[ \t]*#[^\n]*(?=\n)/g, "")
    .replace(/\\[ \t]*\r?\n/g, "")
    .trim();
}

/** Removes quotes and replaces `$NAME`, `${NAME}`, `${NAME:-word}` and `${NAME:+word}`. */
export function expandWords(
  all: readonly string[],
  value: (name: string) => string | undefined,
): string[] {
  return all.map((word) =>
    [...word.matchAll(/'([^']*)'|"((?:\\.|[^"\\])*)"|((?:\\.|[^'"\\])+)/gs)]
      .map(([, literal, quoted, bare]) => literal ?? substitute(quoted ?? bare ?? "", value))
      .join(""),
  );
}

function substitute(text: string, value: (name: string) => string | undefined): string {
  return text.replace(
    /\\(.)|\$(?:\{(\w+)(?::([-+])([^}]*))?\}|(\w+))/gs,
    (
      _whole,
      escaped?: string,
      braced?: string,
      operator?: string,
      word?: string,
      bare?: string,
    ) => {
      if (escaped !== undefined) return escaped;
      const known = value(braced ?? bare ?? "");
      if (operator === "-") return known === undefined || known === "" ? (word ?? "") : known;
      if (operator === "+") return known === undefined || known === "" ? "" : (word ?? "");
      return known ?? "";
    },
  );
}
