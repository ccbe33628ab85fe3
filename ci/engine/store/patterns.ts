import { posix } from "node:path";

import { TreeError } from "./failure.js";

/**
 * A .dockerignore pattern as a regular expression over a whole relative path: `*` and `?` stop at a
 * slash, `**` does not, `[…]` is a set, a backslash takes the next character as it is.
 */
export function patternToRegExp(pattern: string): RegExp {
  const source = pattern.replace(
    /\\(.)|\*\*\/|\*\*|\*|\?|\[\^?|\]|[.+${}()|^]/g,
    (token: string, escaped?: string) => {
      if (escaped !== undefined) return `\\${escaped}`;
      if (token === "**/") return "(?:.*/)?";
      if (token === "**") return ".*";
      if (token === "*") return "[^/]*";
      if (token === "?") return "[^/]";
      return token.startsWith("[") || token === "]" ? token : `\\${token}`;
    },
  );
  return new RegExp(`^${source}$`, "s");
}

/** Without the space around it, without `.`, `..` and the last slash where they change nothing. */
export function cleanPattern(pattern: string): string {
  const trimmed = pattern.trim();
  return trimmed === "" ? "" : posix.normalize(trimmed).replace(/(.)\/$/s, "$1");
}

/** A pattern of Go's `filepath.Match` that is one: its sets end, and a backslash has something to escape. */
export function checkPattern(pattern: string): void {
  const member = String.raw`(?:\\.|[^\\\]-])`;
  const set = String.raw`\[\^?(?:${member}(?:-${member})?)+\]`;
  const whole = new RegExp(String.raw`^(?:\\.|[^\\\[]|${set})*$`, "s");
  if (!whole.test(pattern))
    throw new TreeError(`syntax error in pattern ${JSON.stringify(pattern)}`, "EINVAL");
}
