import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { EngineError } from "../graph/errors.js";
import { checkPattern, cleanPattern, patternToRegExp } from "../store/patterns.js";

/** Paths below `root` that match, in lexical order as a walk finds them; directories end in `/`. */
export async function glob(root: string, pattern: string): Promise<string[]> {
  const wanted = cleanPattern(pattern);
  if (wanted === "") throw new EngineError("failed to create glob pattern matcher: empty pattern");
  checkPattern(wanted);
  const matches = patternToRegExp(wanted);
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
