import { lstat, stat } from "node:fs/promises";
import { basename } from "node:path";
import { EngineError } from "../graph/errors.js";
import type { Call } from "../session.js";
import { resolveIn } from "../store/tree.js";
import { below } from "./trees.js";
import type { Tree } from "./values.js";

/** A part of a tree, which must be there and of the right kind. */
export async function subtree(
  call: Call,
  tree: Tree,
  path: string,
  kind: "directory" | "file",
): Promise<Tree> {
  const inner = await call.session.engine.store.view(tree.snapshot, async (root) => {
    const host = await resolveIn(root, below(tree.path, path), { follow: true });
    const isDirectory = (await stat(host)).isDirectory();
    if (kind === "directory" && !isDirectory) {
      throw new EngineError(`path ${path} is a file, not a directory`);
    }
    if (kind === "file" && isDirectory) {
      throw new EngineError(`path ${path} is a directory, not a file`);
    }
    return host.slice(root.length) || "/";
  });
  return { ...tree, path: inner };
}

/** What is at a path of a tree, as Dagger's Stat tells it. */
export async function statIn(call: Call, tree: Tree, path: string, follow: boolean) {
  return call.session.engine.store.view(tree.snapshot, async (root) => {
    const host = await resolveIn(root, below(tree.path, path), { follow });
    const found = await lstat(host);
    return {
      name: basename(host),
      size: found.size,
      permissions: found.mode & 0o777,
      fileType: found.isDirectory()
        ? "DIRECTORY"
        : found.isFile()
          ? "REGULAR"
          : found.isSymbolicLink()
            ? "SYMLINK"
            : "UNKNOWN",
    };
  });
}

export interface ExistsArgs {
  path: string;
  expectedType?: string;
  doNotFollowSymlinks: boolean;
}

export async function existsIn(call: Call, tree: Tree, args: ExistsArgs): Promise<boolean> {
  const follow = !args.doNotFollowSymlinks && args.expectedType !== "SYMLINK_TYPE";
  try {
    const found = await statIn(call, tree, args.path, follow);
    return args.expectedType === undefined || args.expectedType === `${found.fileType}_TYPE`;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    if ((error as NodeJS.ErrnoException).code === "ENOTDIR") return false;
    throw error;
  }
}
