import { once } from "node:events";
import { chmod, chown, lstat, readdir } from "node:fs/promises";
import { digestOf } from "../graph/digest.js";
import type { Node } from "../graph/node.js";
import type { Call, Fields } from "../session.js";
import { copyTree, resolveIn } from "../store/tree.js";
import { ownerOf, type ContainerValue } from "./container/value.js";
import { treeOf, type Owner } from "./trees.js";
import type { CacheVolumeValue, MountedVolume } from "./values.js";

export const cacheVolumeFields: Fields<CacheVolumeValue> = {};

/** A persistent directory of the host. */
export interface Volume {
  readonly key: string;
  readonly path: string;
  /** Commands that use it run one after the other. PRIVATE means that too, as in Dagger. */
  readonly locks: boolean;
}

/** Volumes that are being filled, by key. */
const starting = new Map<string, Promise<void>>();

/** Volumes that a command has for itself, by key. */
const taken = new Map<string, Promise<void>>();

/**
 * A volume to be mounted. Another source, owner or way of sharing makes it another volume, as in Dagger; so does
 * it that one of them is given at all.
 */
export async function openVolume(
  call: Call,
  self: ContainerValue,
  mount: MountedVolume,
  signal: AbortSignal,
): Promise<Volume> {
  const cache = await call.session.force<CacheVolumeValue>(mount.volume, call.client, signal);
  const source = mount.source ?? cache.source;
  const isGiven = [mount.source, mount.sharing, mount.owner].some((each) => each !== undefined);
  const sharing = mount.sharing ?? cache.sharing ?? (isGiven ? "SHARED" : undefined);
  const owner = await ownerOf(call, self, mount.owner ?? cache.owner ?? "", signal);
  const owned = owner ? [owner.uid, owner.gid] : null;
  const key = digestOf("volume", cache.key, sharing ?? null, source?.digest ?? null, owned);
  const path = await call.session.engine.store.volumes.path(key);
  const before = starting.get(key) ?? Promise.resolve();
  const ready = before.then(() => initialize(call, path, source, owner, signal));
  const settled = ready.catch(() => undefined);
  starting.set(key, settled);
  await ready.finally(() => {
    if (starting.get(key) === settled) starting.delete(key);
  });
  return { key, path, locks: sharing === "LOCKED" || sharing === "PRIVATE" };
}

/** Takes those of the volumes that lock, each once, always in the same order; returns how to free them. */
export async function lockVolumes(
  volumes: readonly Volume[],
  signal: AbortSignal,
): Promise<() => void> {
  const keys = new Set(volumes.filter(({ locks }) => locks).map(({ key }) => key));
  const releases: (() => void)[] = [];
  const release = (): void => {
    for (const free of releases.splice(0)) free();
  };
  try {
    for (const key of [...keys].sort()) releases.push(await take(key, signal));
    return release;
  } catch (error) {
    release();
    throw error;
  }
}

async function take(key: string, signal: AbortSignal): Promise<() => void> {
  signal.throwIfAborted();
  for (let busy = taken.get(key); busy; busy = taken.get(key)) {
    const waited = new AbortController();
    const cancelled = once(signal, "abort", { signal: waited.signal }).catch(() => undefined);
    await Promise.race([busy, cancelled]);
    waited.abort();
    signal.throwIfAborted();
  }
  let free: () => void = () => undefined;
  taken.set(key, new Promise((resolve) => (free = resolve)));
  return () => {
    taken.delete(key);
    free();
  };
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
