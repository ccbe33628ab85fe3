import type { Instruction } from "dockerfile-ast";

/** A document that follows an instruction, from `<<NAME` to a line with that name. */
export interface HereDocument {
  readonly name: string;
  readonly content: string;
  /** As with `<<-`: tabs at the beginning of lines do not count. */
  readonly chomp: boolean;
  /** Whether that line is there. */
  readonly ends: boolean;
}

const WORD = /(?:\\.|"(?:\\.|[^"\\])*"|'[^']*'|[^\s"'\\])+/gs;

/** The words of a line as written, with their quotes. */
export function words(line: string): string[] {
  return line.match(WORD) ?? [];
}

/** The text after the keyword on one line: continuation lines joined, comments between them dropped. */
export function joined(instruction: Instruction): string {
  return split(instruction).line;
}

/** The line of an instruction, and the documents that follow it. */
export function split(instruction: Instruction): {
  line: string;
  documents: readonly HereDocument[];
} {
  const rows = instruction
    .getTextContent()
    .replace(/^\s*\w+[ \t]*/, "")
    .split(/(?<=\n)/);
  let line = "";
  for (let row = rows.shift(), first = true; row !== undefined; row = rows.shift(), first = false) {
    if (!first && /^\s*(#|$)/.test(row)) continue;
    const continued = /(^|[^\\])\\[ \t]*\r?\n?$/.exec(row);
    line += continued ? row.slice(0, continued.index + (continued[1] ?? "").length) : row;
    if (!continued) break;
  }
  const documents = words(line).flatMap((word): HereDocument[] => {
    const [, dash, quoted = ""] = /^\d*<<(-?)([^<]+)$/.exec(word) ?? [];
    const name = quoted.replace(/["']/g, "");
    if (name === "") return [];
    const chomp = dash === "-";
    return [take(rows, name, chomp)];
  });
  return { line: line.trim(), documents };
}

function take(rows: string[], name: string, chomp: boolean): HereDocument {
  let content = "";
  for (let row = rows.shift(); row !== undefined; row = rows.shift()) {
    const end = row.replace(/[\r\n]+$/, "");
    if ((chomp ? end.replace(/^\t+/, "") : end) === name) {
      return { name, content, chomp, ends: true };
    }
    content += row;
  }
  return { name, content, chomp, ends: false };
}

/** The flags at the beginning of a line, without quotes, and what comes after them. */
export function flagged(line: string): { flags: string[]; rest: string } {
  const flags: string[] = [];
  let rest = line;
  for (;;) {
    const [word] = words(rest);
    if (word?.startsWith("--") !== true || !rest.startsWith(word)) return { flags, rest };
    flags.push(word.slice(2).replace(/\\(.)|["']/gs, "$1"));
    rest = rest.slice(word.length).trimStart();
  }
}
