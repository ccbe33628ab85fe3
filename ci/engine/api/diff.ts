import { createReadStream, type Dirent } from "node:fs";
import { lstat, readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { resolveIn } from "../store/tree.js";

interface Side {
  readonly root: string;
  readonly path: string;
}

/** Paths that are in `after` and not, or otherwise, in `before`: what a diff of the two holds. */
export async function changedPaths(before: Side, after: Side): Promise<string[]> {
  const from = await resolveIn(before.root, before.path);
  const to = await resolveIn(after.root, after.path);
  const changed: string[] = [];
  const walk = async (relative: string): Promise<void> => {
    const old = new Map(
      (
        await readdir(join(from, relative), { withFileTypes: true }).catch(() => [] as Dirent[])
      ).map((entry) => [entry.name, entry]),
    );
    for (const entry of await readdir(join(to, relative), { withFileTypes: true })) {
      const path = relative === "" ? entry.name : `${relative}/${entry.name}`;
      const previous = old.get(entry.name);
      if (!previous) changed.push(escapePattern(path));
      else if (entry.isDirectory() && previous.isDirectory()) await walk(path);
      else if (!(await same(join(from, path), join(to, path)))) changed.push(escapePattern(path));
    }
  };
  await walk("");
  return changed.sort();
}

/** A path as a pattern that matches itself alone. */
function escapePattern(path: string): string {
  return path.replace(/[\\*?[\]!#]/g, "\\$&");
}

async function same(a: string, b: string): Promise<boolean> {
  const [left, right] = await Promise.all([lstat(a), lstat(b)]);
  if (left.mode !== right.mode || left.uid !== right.uid || left.gid !== right.gid) return false;
  if (left.isSymbolicLink()) return (await readlink(a)) === (await readlink(b));
  if (!left.isFile()) return true;
  return left.size === right.size && (await sameContent(a, b));
}

async function sameContent(a: string, b: string): Promise<boolean> {
  const other: AsyncIterator<Buffer, undefined> = createReadStream(b)[Symbol.asyncIterator]();
  for await (const chunk of createReadStream(a) as AsyncIterable<Buffer>) {
    // Both files have the same size and are read in chunks of the same length.
    const next = await other.next();
    if (next.done === true || !chunk.equals(next.value)) return false;
  }
  return true;
}
