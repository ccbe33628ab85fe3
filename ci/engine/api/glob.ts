import { readdir } from "node:fs/promises";
import { join } from "node:path";

/**
 * A .dockerignore pattern as a regular expression over a whole relative path: `*` and `?` stop at a
 * slash, `**` does not, `[…]` is a set, a backslash takes the next character as it is.
 */
export function patternToRegExp(pattern: string): RegExp {
  const source = pattern
    .replace(/^\/+|\/+$/g, "")
    .replace(/\\(.)|\*\*\/|\*\*|\*|\?|\[\^?|\]|[.+${}()|^]/g, (token: string, escaped?: string) => {
      if (escaped !== undefined) return `\\${escaped}`;
      if (token === "**/") return "(?:.*/)?";
      if (token === "**") return ".*";
      if (token === "*") return "[^/]*";
      if (token === "?") return "[^/]";
      return token.startsWith("[") || token === "]" ? token : `\\${token}`;
    });
  return new RegExp(`^${source}$`, "s");
}

/** Paths below `root` that match, in lexical order as a walk finds them; directories end in `/`. */
export async function glob(root: string, pattern: string): Promise<string[]> {
  const matches = patternToRegExp(pattern);
  const found: string[] = [];
  const walk = async (relative: string): Promise<void> => {
    const entries = await readdir(join(root, relative), { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = relative === "" ? entry.name : `${relative}/${entry.name}`;
      if (matches.test(path)) found.push(entry.isDirectory() ? `${path}/` : path);
      if (entry.isDirectory()) await walk(path);
    }
  };
  await walk("");
  return found;
}
