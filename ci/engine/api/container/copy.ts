import { stat } from "node:fs/promises";
import { posix } from "node:path";
import { EngineError } from "../../graph/errors.js";
import type { Node } from "../../graph/node.js";
import type { Call } from "../../session.js";
import { resolveIn } from "../../store/tree.js";
import { copyDirectory, copyFile } from "../changes.js";
import { glob } from "../glob.js";
import { lazy } from "../lazy.js";
import { below, readTree, treeOf } from "../trees.js";
import type { Tree } from "../values.js";
import { applyAt } from "./files.js";
import { containerPath, locate, ownerOf, treeAt, type ContainerValue } from "./value.js";

export interface DockerCopyArgs {
  readonly root: Node;
  readonly sources: readonly string[];
  readonly path: string;
  readonly owner: string;
  readonly permissions?: number;
}

/**
 * A Dockerfile's COPY: the content of directories, files under their names when the target is a
 * directory. New files belong to root unless an owner is given.
 */
export function dockerCopy(self: ContainerValue, args: DockerCopyArgs, call: Call): ContainerValue {
  const path = containerPath(self, args.path);
  const at = locate(self, path);
  return {
    ...self,
    imageRef: "",
    files: lazy(call, async (signal) => {
      const { store } = call.session.engine;
      const root = await treeOf(call, args.root, signal);
      const owner = (await ownerOf(call, self, args.owner, signal)) ?? { uid: 0, gid: 0 };
      const place = { owner, permissions: args.permissions };
      const matches = await found(call, root, args.sources);
      let files = await self.files(signal);
      const into =
        args.path.endsWith("/") ||
        args.path === "." ||
        matches.length > 1 ||
        (await isDirectory(call, treeAt(files, at.mount), at.path));
      for (const match of matches) {
        const source = { ...root, path: below(root.path, match.path) };
        const target =
          match.directory || !into ? at.path : posix.join(at.path, posix.basename(match.path));
        const change = match.directory
          ? await copyDirectory(store, source, {}, place)
          : await copyFile(store, source, place);
        files = await applyAt(call, files, { ...at, path: target }, change, signal);
      }
      return files;
    }),
  };
}

async function found(
  call: Call,
  root: Tree,
  sources: readonly string[],
): Promise<{ path: string; directory: boolean }[]> {
  const all: { path: string; directory: boolean }[] = [];
  for (const source of sources) {
    const pattern = posix.join("/", source).slice(1);
    const paths = /[*?[]/.test(pattern)
      ? await readTree(call.session.engine.store, root, (host) => glob(host, pattern))
      : [pattern];
    for (const path of paths) {
      all.push({ path, directory: await isDirectory(call, root, path, source) });
    }
    if (paths.length === 0)
      throw new EngineError(
        `failed to compute cache key: lstat ${source}: no such file or directory`,
      );
  }
  return all;
}

/** Whether `path` is a directory; with `required`, it must exist. */
async function isDirectory(
  call: Call,
  tree: Tree,
  path: string,
  required?: string,
): Promise<boolean> {
  return call.session.engine.store.view(tree.snapshot, async (root) => {
    try {
      return (await stat(await resolveIn(root, below(tree.path, path)))).isDirectory();
    } catch (error) {
      if (required === undefined) return false;
      throw new EngineError(`COPY ${required}: no such file or directory in the build context`, {
        cause: error,
      });
    }
  });
}
