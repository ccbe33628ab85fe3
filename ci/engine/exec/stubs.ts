import { lstat, readdir, rmdir, unlink, utimes } from "node:fs/promises";
import { locate } from "./paths.js";

/** Attributes of a folder as it was before. */
interface Before {
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly atimeMs: number;
  readonly mtimeMs: number;
}

/** What the runtime is going to make so that it can mount something there. */
export interface Stub {
  /** Below the root, deepest first. */
  readonly made: readonly string[];
  /** The folder it happens in, and the ones above, deepest first. */
  readonly above: readonly Before[];
}

/** Finds out which of the mount points `targets` are not there yet. */
export async function planStubs(root: string, targets: readonly string[]): Promise<Stub[]> {
  const stubs: Stub[] = [];
  for (const target of targets) {
    const { path, missing } = await locate(root, target).catch(() => ({ path: "", missing: [] }));
    if (missing.length === 0) continue;
    const made = missing.map((_, index) => join(path, missing.slice(0, missing.length - index)));
    const above: Before[] = [];
    for (let at = path; ; at = parentOf(at)) {
      const { mode, uid, gid, atimeMs, mtimeMs } = await lstat(`${root}/${at}`);
      above.push({ path: at, mode, uid, gid, atimeMs, mtimeMs });
      if (at === "") break;
    }
    stubs.push({ made, above });
  }
  return stubs;
}

/**
 * Removes from `upper` the mount points that nothing was written to, and the copies of folders that overlay made for
 * their sake: a command that changes nothing leaves an empty layer, and the same layer in each run.
 */
export async function removeStubs(upper: string, stubs: readonly Stub[]): Promise<void> {
  for (const { made } of stubs) {
    for (const path of made) {
      const stats = await lstat(`${upper}/${path}`).catch(() => undefined);
      if (stats?.isDirectory() === true && (await readdir(`${upper}/${path}`)).length === 0) {
        await rmdir(`${upper}/${path}`);
      } else if (stats?.isFile() === true && stats.size === 0) {
        await unlink(`${upper}/${path}`);
      } else break;
    }
  }
  for (const { above } of stubs) {
    for (const before of above) await restore(upper, before);
  }
}

/** Takes a copied-up folder away when it is empty and as before; otherwise gives it back its times where nothing was added. */
async function restore(upper: string, before: Before): Promise<void> {
  const path = `${upper}/${before.path}`;
  const now = await lstat(path).catch(() => undefined);
  if (now?.isDirectory() !== true) return;
  if (now.mode !== before.mode || now.uid !== before.uid || now.gid !== before.gid) return;
  const entries = await readdir(path);
  if (entries.length === 0 && before.path !== "") await rmdir(path);
  else if (entries.length === 0) await utimes(path, before.atimeMs / 1000, before.mtimeMs / 1000);
}

function join(path: string, names: readonly string[]): string {
  return [...(path === "" ? [] : [path]), ...names].join("/");
}

function parentOf(path: string): string {
  const at = path.lastIndexOf("/");
  return at < 0 ? "" : path.slice(0, at);
}
