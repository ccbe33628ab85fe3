import { chmod, chown, lstat, readdir } from "node:fs/promises";
import { digestOf } from "../graph/digest.js";
import type { Node } from "../graph/node.js";
import type { Call, Fields } from "../session.js";
import { copyTree, resolveIn } from "../store/tree.js";
import { treeOf, type Owner } from "./trees.js";
import type { CacheVolumeValue } from "./values.js";

export const cacheVolumeFields: Fields<CacheVolumeValue> = {};

export interface Volume {
  readonly path: string;
  release(): Promise<void>;
}

/** Volumes in use by commands of this process, by key. */
const inUse = new Map<string, { users: number; freed: Promise<void>; free(): void }>();

/**
 * A volume for one command. SHARED is given to all at once, LOCKED to one after the other, PRIVATE
 * to one at a time while the others get copies of their own that start empty.
 */
export async function acquireVolume(
  call: Call,
  mount: { volume: Node; source?: Node | undefined; sharing: string },
  owner: Owner | undefined,
  signal: AbortSignal,
): Promise<Volume> {
  const cache = await call.session.force<CacheVolumeValue>(mount.volume, call.client, signal);
  const base = digestOf("volume", cache.key, owner ? [owner.uid, owner.gid] : null);
  let key = base;
  if (mount.sharing === "LOCKED") {
    for (let busy = inUse.get(key); busy; busy = inUse.get(key)) await busy.freed;
  } else if (mount.sharing === "PRIVATE") {
    for (let copy = 1; inUse.has(key); copy += 1) key = digestOf(base, copy);
  }
  enter(key);
  try {
    const path = await call.session.engine.store.volumes.path(key);
    await initialize(call, path, mount.source ?? cache.source, owner, signal);
    return {
      path,
      release: () => {
        leave(key);
        return Promise.resolve();
      },
    };
  } catch (error) {
    leave(key);
    throw error;
  }
}

/** A new volume starts as its source directory is, but with its own owner if it has one. */
async function initialize(
  call: Call,
  path: string,
  source: Node | undefined,
  owner: Owner | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (owner) await chown(path, owner.uid, owner.gid);
  if (!source || (await readdir(path)).length > 0) return;
  const tree = await treeOf(call, source, signal);
  await call.session.engine.store.view(tree.snapshot, async (root) => {
    const { mode, uid, gid } = await lstat(await resolveIn(root, tree.path));
    if (!owner) await chown(path, uid, gid);
    await chmod(path, mode & 0o7777);
    await copyTree(root, tree.path, path, "/", owner ? { owner } : {});
  });
}

function enter(key: string): void {
  const entry = inUse.get(key);
  if (entry) {
    entry.users += 1;
    return;
  }
  let free: () => void = () => undefined;
  const freed = new Promise<void>((resolve) => {
    free = resolve;
  });
  inUse.set(key, { users: 1, freed, free });
}

function leave(key: string): void {
  const entry = inUse.get(key);
  if (!entry) return;
  entry.users -= 1;
  if (entry.users > 0) return;
  inUse.delete(key);
  entry.free();
}
