import { lstat, readdir, rm } from "node:fs/promises";
import { basename, join, posix } from "node:path";
import { patternToRegExp } from "../store/patterns.js";
import { resolveIn } from "../store/tree.js";
import type { Change } from "./changes.js";

/** Removes a path, or what matches when there is a `*` in it; that nothing is there is no error. */
export function without(): Change {
  return {
    identity: ["without"],
    async apply(root, path) {
      const found = path.includes("*") ? await matches(root, path) : [path];
      for (const each of found) await remove(root, each);
    },
  };
}

async function remove(root: string, path: string): Promise<void> {
  const parent = await resolveIn(root, posix.dirname(path), { missing: "allow" });
  await rm(join(parent, basename(path)), { recursive: true, force: true });
}

/** Paths that match component by component, from the first component that is a pattern on. */
async function matches(root: string, path: string): Promise<string[]> {
  const parts = path.replace(/\/+$/, "").split("/");
  const first = parts.findIndex((part) => /[*?[]/.test(part.replace(/\\./gs, "")));
  if (first < 0) return [path];
  const expression = compiled(parts.slice(first).join("/"));
  const base = await resolveIn(root, parts.slice(0, first).join("/"));
  const found: string[] = [];
  const walk = async (relative: string): Promise<void> => {
    const entries = await readdir(join(base, relative), { withFileTypes: true });
    for (const entry of entries) {
      const below = posix.join(relative, entry.name);
      if (expression?.test(below)) found.push(join(base, below).slice(root.length));
      else if (entry.isDirectory()) await walk(below);
    }
  };
  if ((await lstat(base)).isDirectory()) await walk("");
  return found;
}

/** `*` stops at a slash however many there are; a broken pattern matches nothing. */
function compiled(pattern: string): RegExp | undefined {
  try {
    return patternToRegExp(
      pattern.replace(/\\.|\*+/gs, (token) => (token.startsWith("*") ? "*" : token)),
    );
  } catch {
    return undefined;
  }
}
