import { stat } from "node:fs/promises";
import { posix } from "node:path";
import { EngineError } from "../../graph/errors.js";
import type { Node } from "../../graph/node.js";
import type { Call } from "../../session.js";
import { resolveIn } from "../../store/tree.js";
import { copyDirectory, copyFile } from "../copying.js";
import { glob } from "../glob.js";
import { lazy } from "../lazy.js";
import { below, readTree, treeOf } from "../trees.js";
import { isArchive, unpackInto } from "../unpack.js";
import type { Tree } from "../values.js";
import { applyAt } from "./files.js";
import { folder } from "./folder.js";
import { containerPath, locate, ownerOf, treeAt, type ContainerValue } from "./value.js";

export interface DockerCopyArgs {
  readonly root: Node;
  readonly sources: readonly string[];
  readonly path: string;
  readonly owner: string;
  readonly permissions?: number;
  /** What of a directory is left out. */
  readonly exclude: readonly string[];
  /** Sources keep the directories that they lie in. */
  readonly parents: boolean;
  /** Archives are unpacked. */
  readonly unpack: boolean;
}

/** Something that a source names. */
interface Match {
  readonly path: string;
  readonly directory: boolean;
  /** What of the directory is copied, if not everything. */
  readonly include?: readonly string[];
}

/**
 * A Dockerfile's COPY: the content of directories, files under their names when the target is a
 * directory. What is copied keeps its owner unless another one is given.
 */
export function dockerCopy(self: ContainerValue, args: DockerCopyArgs, call: Call): ContainerValue {
  const at = locate(self, containerPath(self, args.path));
  const meansDirectory = /(^|\/)\.?$/.test(args.path);
  return {
    ...self,
    imageRef: "",
    files: lazy(call, async (signal) => {
      const { store } = call.session.engine;
      const root = await treeOf(call, args.root, signal);
      const owner = await ownerOf(call, self, args.owner, signal);
      const place = { owner, permissions: args.permissions };
      let files = await self.files(signal);
      for (const match of await found(call, root, args)) {
        const source = { ...root, path: below(root.path, match.path) };
        const put = async (path: string, change: Parameters<typeof applyAt>[3]) => {
          files = await applyAt(call, files, { ...at, path }, change, signal);
        };
        if (match.directory) {
          const { include } = match;
          await put(
            at.path,
            await copyDirectory(store, source, { include, exclude: args.exclude }, place),
          );
          continue;
        }
        if (args.unpack && args.exclude.length === 0 && (await holdsArchive(call, source))) {
          await put(at.path, folder(owner));
          await put(at.path, await unpackInto(store, source, signal));
          continue;
        }
        if (meansDirectory) await put(at.path, folder(owner));
        const into = await isDirectory(call, treeAt(files, at.mount), at.path);
        const target = into ? posix.join(at.path, posix.basename(match.path)) : at.path;
        await put(target, await copyFile(store, source, place));
      }
      return files;
    }),
  };
}

async function found(call: Call, root: Tree, args: DockerCopyArgs): Promise<Match[]> {
  const all: Match[] = [];
  for (const source of args.sources) {
    const [start = "", end] = args.parents ? pivot(source) : [source];
    const pattern = posix.join("/", start).slice(1);
    const paths = /[*?[]/.test(pattern.replace(/\\./g, ""))
      ? await matching(call, root, pattern)
      : [pattern];
    for (const path of paths) {
      const directory = await isDirectory(call, root, path, source);
      all.push({ path, directory, ...(end !== undefined && { include: [end] }) });
    }
  }
  return all;
}

/** With `--parents`, the directory whose content counts, and what of it: `/./` is between them. */
function pivot(source: string): [string, string] {
  const at = source.indexOf("/./");
  const [start, end] = at < 0 ? ["/", source] : [source.slice(0, at), source.slice(at + 3)];
  return [start, posix.join("/", end).slice(1)];
}

/** What a pattern names, which may be nothing; the directories before its first wildcard must be there. */
async function matching(call: Call, root: Tree, pattern: string): Promise<string[]> {
  const parts = pattern.split("/");
  const fixed = parts.slice(
    0,
    parts.findIndex((part) => /[*?[]/.test(part.replace(/\\./g, ""))),
  );
  const base = fixed.join("/");
  // Go's patterns know no `**`: there it is one star after the other.
  const rest = parts
    .slice(fixed.length)
    .join("/")
    .replace(/\*{2,}/g, "*");
  const at = { ...root, path: below(root.path, base) };
  const paths = await readTree(call.session.engine.store, at, (host) => glob(host, rest));
  return paths.map((path) => posix.join(base, path).replace(/\/$/, ""));
}

function holdsArchive(call: Call, file: Tree): Promise<boolean> {
  return readTree(call.session.engine.store, file, async (host) =>
    (await stat(host)).isFile() ? isArchive(host) : false,
  );
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
