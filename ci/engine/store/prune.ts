import { randomUUID } from "node:crypto";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";

import { readMemo } from "./memos.js";
import { run } from "./process.js";
import type { PruneResult } from "./types.js";
import { measure, memoFiles, sum } from "./usage.js";

export interface Folders {
  layers: string;
  blobs: string;
  memos: string;
  volumes: string;
  host: string;
  /** Where the sizes of layers and blobs are remembered. */
  layerSizes: string;
  blobSizes: string;
}

interface Item {
  used: number;
  /** The memo's file; a volume has none. */
  memo?: string;
  holds: readonly Held[];
}

interface Held {
  kind: "layers" | "blobs" | "volumes";
  name: string;
}

/** Bytes that layers, blobs and volumes take. */
export async function sizes(
  folders: Folders,
  temporary: string,
): Promise<Record<Held["kind"], Map<string, number>>> {
  const layers = await measure(folders.layers, { file: folders.layerSizes, temporary });
  const blobs = await measure(folders.blobs, { file: folders.blobSizes, temporary });
  return { layers, blobs, volumes: await measure(folders.volumes) };
}

/**
 * Removes what was not used for longest until `toBytes` are left; 0 removes all. Only to be called
 * while nobody else uses the store. First memos go, then what no memo names any more, moved away
 * before it is taken apart: an interruption at any point leaves no memo of something incomplete.
 */
export async function prune(
  folders: Folders,
  temporary: string,
  toBytes: number,
): Promise<PruneResult> {
  const measured = await sizes(folders, temporary);
  const before = sum(measured.layers) + sum(measured.blobs) + sum(measured.volumes);
  const users = new Map<string, number>();
  const id = ({ kind, name }: Held): string => `${kind}/${name}`;
  const items = await list(folders);
  for (const held of items.flatMap(({ holds }) => holds)) {
    users.set(id(held), (users.get(id(held)) ?? 0) + 1);
  }
  const doomed: Held[] = [];
  const memos: string[] = [];
  let left = before;
  const condemn = (held: Held): void => {
    doomed.push(held);
    left -= measured[held.kind].get(held.name) ?? 0;
  };
  const everything = (["layers", "blobs"] as const).flatMap((kind) =>
    [...measured[kind].keys()].map((name) => ({ kind, name })),
  );
  if (left > toBytes || toBytes === 0) {
    for (const held of everything) if (!users.has(id(held))) condemn(held);
  }
  for (const { memo, holds } of items) {
    if (left <= toBytes && toBytes > 0) break;
    if (memo !== undefined) memos.push(memo);
    for (const held of holds) {
      const others = (users.get(id(held)) ?? 1) - 1;
      users.set(id(held), others);
      if (others === 0) condemn(held);
    }
  }
  for (const memo of memos) await rm(memo, { force: true });
  if (toBytes === 0) {
    for (const name of await readdir(folders.host)) await rm(join(folders.host, name));
  }
  await remove(folders, temporary, doomed);
  const count = (kind: Held["kind"]): number => doomed.filter((held) => held.kind === kind).length;
  return {
    freedBytes: before - left,
    bytes: left,
    memos: memos.length,
    layers: count("layers"),
    blobs: count("blobs"),
    volumes: count("volumes"),
  };
}

/** Memos and volumes, the longest unused first. */
async function list(folders: Folders): Promise<Item[]> {
  const items: Item[] = [];
  for (const { path, used } of await memoFiles(folders.memos)) {
    const refs = readMemo(path)?.refs;
    const held = (kind: Held["kind"], names: readonly string[] = []): Held[] =>
      [...new Set(names)].map((name) => ({ kind, name }));
    const blobs = refs?.blobs?.map((digest) => digest.replace("sha256:", ""));
    items.push({
      used,
      memo: path,
      holds: [...held("layers", refs?.layers), ...held("blobs", blobs)],
    });
  }
  for (const name of await readdir(folders.volumes)) {
    const used = (await stat(join(folders.volumes, name))).mtimeMs;
    items.push({ used, holds: [{ kind: "volumes", name }] });
  }
  return items.sort((a, b) => a.used - b.used);
}

async function remove(folders: Folders, temporary: string, doomed: Held[]): Promise<void> {
  const trash = join(temporary, `trash-${randomUUID()}`);
  await mkdir(trash);
  for (const { kind, name } of doomed) {
    await rename(join(folders[kind], name), join(trash, `${kind}-${name}`)).catch(() => undefined);
  }
  await run("rm", ["-rf", "--one-file-system", "--", trash]);
}
