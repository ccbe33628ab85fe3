import {
  chmod,
  chown,
  lchown,
  lstat,
  lutimes,
  readdir,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { basename, dirname, join, posix } from "node:path";
import type { Json } from "../graph/digest.js";
import { EngineError } from "../graph/errors.js";
import type { Store } from "../store/store.js";
import { copyTree, resolveIn } from "../store/tree.js";
import { patternToRegExp } from "./glob.js";
import { copyIdentity, type Owner } from "./trees.js";
import type { Tree } from "./values.js";

/** A change of a file system: what it is, so that it is made once, and how it is made. */
export interface Change {
  readonly identity: Json;
  /** `path` is absolute, inside `root`. */
  apply(root: string, path: string): Promise<void>;
}

export interface CopyFilter {
  readonly include?: readonly string[] | undefined;
  readonly exclude?: readonly string[] | undefined;
  readonly gitignore?: boolean | undefined;
}

export interface Placement {
  readonly owner?: Owner | undefined;
  readonly permissions?: number | undefined;
}

/** Where a new entry goes: its parents are made, links among them followed inside the root. */
async function destination(root: string, path: string): Promise<string> {
  const parent = await resolveIn(root, posix.dirname(path), { missing: "create" });
  return join(parent, basename(path));
}

export function newFile(contents: string | Buffer, place: Placement): Change {
  const data = typeof contents === "string" ? Buffer.from(contents) : contents;
  return {
    identity: ["newFile", data.toString("base64"), placeIdentity(place)],
    async apply(root, path) {
      const made = await destination(root, path);
      // Writing to a link writes to what it points at, inside the root.
      const target = await resolveIn(root, made.slice(root.length), { missing: "allow" });
      await writeFile(target, data);
      await chmod(target, place.permissions ?? 0o644);
      if (place.owner) await chown(target, place.owner.uid, place.owner.gid);
    },
  };
}

export function newDirectory(permissions: number): Change {
  return {
    identity: ["newDirectory", permissions],
    async apply(root, path) {
      await chmod(await resolveIn(root, path, { missing: "create" }), permissions);
    },
  };
}

export function newSymlink(target: string): Change {
  return {
    identity: ["symlink", target],
    async apply(root, path) {
      await symlink(target, await destination(root, path));
    },
  };
}

/** Removes what matches; that nothing matches is no error. */
export function without(): Change {
  return {
    identity: ["without"],
    async apply(root, path) {
      const name = basename(path);
      let parent: string;
      try {
        parent = await resolveIn(root, posix.dirname(path), { follow: true });
      } catch {
        return;
      }
      if (!/[*?[\\]/.test(name)) {
        await rm(join(parent, name), { recursive: true, force: true });
        return;
      }
      const matches = patternToRegExp(name);
      for (const entry of await readdir(parent)) {
        if (matches.test(entry)) await rm(join(parent, entry), { recursive: true, force: true });
      }
    },
  };
}

export async function copyDirectory(
  store: Store,
  source: Tree,
  filter: CopyFilter,
  place: Placement,
): Promise<Change> {
  const include = filter.include ?? [];
  const exclude = filter.exclude ?? [];
  const gitignore = filter.gitignore ?? false;
  return {
    identity: [
      "copyDirectory",
      await copyIdentity(store, source),
      [...include],
      [...exclude],
      gitignore,
      placeIdentity(place),
    ],
    async apply(root, path) {
      await resolveIn(root, path, { missing: "create" });
      await store.view(source.snapshot, (sourceRoot) =>
        copyTree(sourceRoot, source.path, root, path, {
          include,
          exclude,
          gitignore,
          conflict: "replace",
          ...(place.owner && { owner: place.owner }),
          ...(place.permissions !== undefined && { permissions: place.permissions }),
        }),
      );
    },
  };
}

export async function copyFile(store: Store, source: Tree, place: Placement): Promise<Change> {
  return {
    identity: ["copyFile", await copyIdentity(store, source), placeIdentity(place)],
    async apply(root, path) {
      const target = await destination(root, path);
      await store.view(source.snapshot, (sourceRoot) =>
        copyTree(sourceRoot, source.path, root, target.slice(root.length), {
          conflict: "replace",
          ...(place.owner && { owner: place.owner }),
          ...(place.permissions !== undefined && { permissions: place.permissions }),
        }),
      );
    },
  };
}

export function chownAll(owner: Owner): Change {
  return {
    identity: ["chown", owner.uid, owner.gid],
    apply: (root, path) => walk(root, path, (entry) => lchown(entry, owner.uid, owner.gid)),
  };
}

export function timestamps(seconds: number): Change {
  return {
    identity: ["timestamps", seconds],
    apply: (root, path) => walk(root, path, (entry) => lutimes(entry, seconds, seconds)),
  };
}

/** Visits everything below `path`, children before their directory (whose times they would touch). */
async function walk(
  root: string,
  path: string,
  visit: (entry: string) => Promise<void>,
): Promise<void> {
  const start = await resolveIn(root, path, { follow: true });
  const visitAll = async (entry: string, isDirectory: boolean): Promise<void> => {
    if (isDirectory) {
      for (const child of await readdir(entry, { withFileTypes: true })) {
        await visitAll(join(entry, child.name), child.isDirectory());
      }
    }
    await visit(entry);
  };
  await visitAll(start, (await lstat(start)).isDirectory());
}

function placeIdentity(place: Placement): Json {
  return [place.owner ? [place.owner.uid, place.owner.gid] : null, place.permissions ?? null];
}

/** A name that a new file may have. */
export function checkFileName(path: string): void {
  const name = basename(path);
  if (Buffer.byteLength(name) > 255) {
    throw new EngineError(`file name ${name.slice(0, 40)}… is longer than 255 characters`);
  }
  if (dirname(path) === path) throw new EngineError(`not a file name: ${path}`);
}
