import {
  chmod,
  chown,
  lchown,
  lstat,
  lutimes,
  readdir,
  symlink,
  writeFile,
} from "node:fs/promises";
import { basename, dirname, join, posix } from "node:path";
import type { Json } from "../graph/digest.js";
import { EngineError } from "../graph/errors.js";
import { resolveIn } from "../store/tree.js";
import type { Owner } from "./trees.js";

/** A change of a file system: what it is, so that it is made once, and how it is made. */
export interface Change {
  readonly identity: Json;
  /** `path` is absolute, inside `root`. */
  apply(root: string, path: string): Promise<void>;
}

export interface Placement {
  readonly owner?: Owner | undefined;
  readonly permissions?: number | undefined;
}

/** Where a new entry goes: its parents are made, links among them followed inside the root. */
export async function destination(root: string, path: string): Promise<string> {
  const parent = await resolveIn(root, posix.dirname(path), { missing: "create" });
  return join(parent, basename(path));
}

/** A file with `contents`. One that is there keeps its mode, and a link to one is written through. */
export function newFile(contents: string | Buffer, place: Placement): Change {
  const data = typeof contents === "string" ? Buffer.from(contents) : contents;
  return {
    identity: ["newFile", data.toString("base64"), placeIdentity(place)],
    async apply(root, path) {
      const made = await destination(root, path);
      const target = await resolveIn(root, made.slice(root.length), { missing: "allow" });
      const there = await lstat(target).catch(() => undefined);
      await writeFile(target, data);
      if (!there) await chmod(target, modeOf(place.permissions, 0o644));
      if (place.owner) await chown(target, place.owner.uid, place.owner.gid);
    },
  };
}

/** The directory with its parents, all of one mode; one that is there stays as it is. */
export function newDirectory(permissions: number): Change {
  return {
    identity: ["newDirectory", permissions],
    async apply(root, path) {
      await resolveIn(root, path, { missing: "create", mode: modeOf(permissions, 0o755) });
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

/** Mode of what is made new: 0 means the usual one, and there are no bits but the permissions. */
export function modeOf(permissions: number | undefined, usual: number): number {
  return permissions ? permissions & 0o777 : usual;
}

export function placeIdentity(place: Placement): Json {
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
