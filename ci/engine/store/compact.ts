import type { Layers } from "./layers.js";
import { run } from "./process.js";
import { joinRaw, toBytes, toRaw, type Raw } from "./raw.js";
import { peek } from "./resolve.js";
import { layerId } from "./snapshot.js";
import type { LayerId, Snapshot } from "./types.js";
import { walk } from "./walk.js";
import { makeOpaque, readXattrs } from "./xattr.js";

// The names of so many layers fit into the one page of options that mount takes.
const MAX_LAYERS = 64;
// At most so many are merged at once: the layers of an image stay as they were pulled.
const MAX_RUN = 48;
const MIN_RUN = 8;
// How the ids of merged layers begin, so that they are not merged again with each next run: the
// cost of a chain would grow with the square of its length. A chance hit costs only time.
const MARK = "c0de";

/** The same file system in at most 64 layers: the uppermost are merged into one, their files shared. */
export async function compact(layers: Layers, snapshot: Snapshot): Promise<Snapshot> {
  let { layers: ids } = snapshot;
  while (ids.length > MAX_LAYERS) {
    const start = runStart(ids);
    const [keep, upper] = [ids.slice(0, start), ids.slice(start)];
    const id = MARK + layerId("compact", ...upper).slice(MARK.length);
    if (!layers.state(id)) {
      const draft = layers.draft({ layers: upper.slice(-1) });
      try {
        for (const layer of upper) await stack(toRaw(layers.path(layer)), draft.upper);
        layers.keep(id, draft.upper);
      } finally {
        await draft.discard();
      }
    }
    ids = [...keep, id];
  }
  return { layers: ids };
}

/** Where the layers to be merged begin: after the last merged one, or at the first when few follow. */
function runStart(ids: readonly LayerId[]): number {
  const isMerged = (id: LayerId): boolean => id.startsWith(MARK);
  const last = ids.findLastIndex(isMerged);
  if (ids.length - last > MIN_RUN) return Math.max(last + 1, ids.length - MAX_RUN);
  return ids.findIndex(isMerged);
}

/** Puts one layer over the merged ones, whiteouts and opaque folders in the same notation. */
async function stack(layer: Raw, merged: string): Promise<void> {
  const hides: Raw[] = [];
  const gone: Raw[] = [];
  const folders: Raw[] = [];
  for await (const entry of walk(layer)) {
    const there = peek(joinRaw(toRaw(merged), entry.path));
    if (entry.stat.isDirectory()) folders.push(entry.path);
    if (!there) continue;
    if (entry.stat.isDirectory() && there.isDirectory()) continue;
    gone.push(entry.path);
    // What the merged layers put under this name also hid it in the layers below them.
    if (entry.stat.isDirectory()) hides.push(entry.path);
  }
  const attributes = await readXattrs(layer, folders);
  for (const [path, { opaque }] of attributes) if (opaque) gone.push(path);
  const names = gone.map((path) => toBytes(`./${path}\0`));
  await run("xargs", ["-0", "-r", "rm", "-rf", "--"], { cwd: merged, input: names });
  await run("cp", ["--archive", "--link", "--no-target-directory", "--", layer, merged]);
  await makeOpaque(merged, hides);
}
