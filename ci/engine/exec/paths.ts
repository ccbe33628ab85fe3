import { lstat, readlink } from "node:fs/promises";
import { posix } from "node:path";

/** Where a path of a container leads to below a root, as far as it exists. */
export interface Located {
  /** Below the root, without symlinks, without leading slash; `""` is the root itself. */
  readonly path: string;
  /** The components that do not exist, below `path`. */
  readonly missing: readonly string[];
}

const MOST_LINKS = 255;

/**
 * Follows `path` component by component inside of `root`: links, also absolute ones, never lead out of it.
 * Throws when it runs through something that is not a directory, or in a circle.
 */
export async function locate(root: string, path: string): Promise<Located> {
  const todo = components(path);
  let here = "";
  let links = 0;
  for (let name = todo.shift(); name !== undefined; name = todo.shift()) {
    if (name === "..") {
      here = posix.dirname(here) === "." ? "" : posix.dirname(here);
      continue;
    }
    const next = here === "" ? name : `${here}/${name}`;
    const stats = await lstat(`${root}/${next}`).catch((error: unknown) => {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === "ENOENT") return undefined;
      if (code === "ENOTDIR") throw new Error(`${path}: /${here} is not a directory`);
      throw error;
    });
    if (stats === undefined) {
      const missing = posix.normalize([name, ...todo].join("/"));
      if (missing.startsWith("..")) throw new Error(`${path}: /${next} does not exist`);
      return { path: here, missing: missing === "." ? [] : components(missing) };
    }
    if (stats.isSymbolicLink()) {
      if (++links > MOST_LINKS) throw new Error(`${path}: too many levels of symbolic links`);
      const target = await readlink(`${root}/${next}`);
      todo.unshift(...components(target));
      if (target.startsWith("/")) here = "";
      continue;
    }
    here = next;
  }
  return { path: here, missing: [] };
}

function components(path: string): string[] {
  return path.split("/").filter((name) => name !== "" && name !== ".");
}

/** The index of the mount that `path` lies in, and the rest of the path; the later and deeper mount wins. */
export function mountAt(targets: readonly string[], path: string): [number, string] | undefined {
  const wanted = posix.normalize(path);
  let best: [number, string] | undefined;
  let depth = -1;
  for (const [index, raw] of targets.entries()) {
    const target = posix.normalize(raw).replace(/\/$/, "");
    if (wanted !== target && !wanted.startsWith(`${target}/`)) continue;
    if (target.length >= depth) {
      best = [index, wanted.slice(target.length)];
      depth = target.length;
    }
  }
  return best;
}
