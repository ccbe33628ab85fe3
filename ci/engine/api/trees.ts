import { lstat } from "node:fs/promises";
import { posix } from "node:path";
import { digestOf, type Json } from "../graph/digest.js";
import { EngineError } from "../graph/errors.js";
import type { Node } from "../graph/node.js";
import type { Call } from "../session.js";
import type { Store } from "../store/store.js";
import { digestTree, resolveIn } from "../store/tree.js";
import type { Tree, DirectoryValue, FileValue } from "./values.js";

export const scratch: Tree = { snapshot: { layers: [] }, path: "/" };

/** `path` below `base`, both inside a root: never above it. */
export function below(base: string, path: string): string {
  return posix.join("/", base, posix.join("/", path));
}

/** `path` as the container sees it from its working directory. */
export function absolute(workdir: string, path: string): string {
  const joined = posix.isAbsolute(path) ? posix.normalize(path) : posix.join("/", workdir, path);
  return joined.length > 1 && joined.endsWith("/") ? joined.slice(0, -1) : joined;
}

/** Runs `read` with the host path of `tree` in a merged, read-only view. */
export function readTree<T>(
  store: Store,
  tree: Tree,
  read: (hostPath: string, root: string) => Promise<T>,
): Promise<T> {
  return store.view(tree.snapshot, async (root) =>
    read(await resolveIn(root, tree.path, { follow: true }), root),
  );
}

/**
 * The tree after `change`. `identity` names the change with all that it depends on, so that the
 * same change of the same tree is made once, in this process or another.
 */
export async function changeTree(
  store: Store,
  tree: Tree,
  identity: Json,
  change: (root: string, base: string) => Promise<void>,
  signal: AbortSignal,
): Promise<Tree> {
  const id = digestOf("change", tree.snapshot.layers, tree.path, identity);
  const snapshot = await store.mutate(tree.snapshot, id, (root) => change(root, tree.path), signal);
  return { ...tree, snapshot: await store.compact(snapshot) };
}

/** What copies of a tree depend on: its content, and mode and owner of the directory itself. */
export async function copyIdentity(store: Store, tree: Tree): Promise<Json> {
  const key = `copied/${digestOf(tree.snapshot.layers, tree.path)}`;
  const known = await store.memo.get(key);
  if (typeof known === "string") return [known, tree.stamp ?? null];
  const content = await contentDigest(store, tree);
  const identity = await readTree(store, tree, async (host) => {
    const { mode, uid, gid } = await lstat(host);
    return digestOf(content, mode, uid, gid);
  });
  await store.memo.set(key, identity, { layers: tree.snapshot.layers });
  return [identity, tree.stamp ?? null];
}

/** What a tree holds, as a digest: names, types, modes, owners, contents - not times. */
export async function contentDigest(store: Store, tree: Tree): Promise<string> {
  const key = `content/${digestOf(tree.snapshot.layers, tree.path)}`;
  const known = await store.memo.get(key);
  if (typeof known === "string") return known;
  const digest = await store.view(tree.snapshot, (root) => digestTree(root, tree.path));
  await store.memo.set(key, digest, { layers: tree.snapshot.layers });
  return digest;
}

/** Owners as Dagger reads them: `uid`, `uid:gid`, `user`, `user:group`; names are looked up in the tree. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export async function parseOwner(
  owner: string,
  lookUp: (file: "/etc/passwd" | "/etc/group") => Promise<string>,
): Promise<Owner | undefined> {
  if (owner === "") return undefined;
  const [user = "", group] = owner.split(":", 2);
  const uid = await idOf(user, "/etc/passwd", lookUp);
  return { uid, gid: group === undefined ? uid : await idOf(group, "/etc/group", lookUp) };
}

async function idOf(
  name: string,
  file: "/etc/passwd" | "/etc/group",
  lookUp: (file: "/etc/passwd" | "/etc/group") => Promise<string>,
): Promise<number> {
  if (name === "root") return 0;
  if (/^\d+$/.test(name)) return Number(name);
  const line = (await lookUp(file)).split("\n").find((entry) => entry.startsWith(`${name}:`));
  const id = line?.split(":")[2];
  if (id === undefined) {
    const what = file === "/etc/passwd" ? "user" : "group";
    throw new EngineError(`no such ${what}: ${name} (looked up in ${file})`);
  }
  return Number(id);
}

/** The tree of a Directory or File argument. */
export async function treeOf(call: Call, node: Node, signal = call.signal): Promise<Tree> {
  const value = await call.session.force<DirectoryValue | FileValue>(node, call.client, signal);
  return value.tree(signal);
}
