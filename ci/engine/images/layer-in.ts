import { createHash } from "node:crypto";
import { spawn } from "node:child_process";
import { chmodSync, chownSync, lutimesSync, rmSync, type Stats } from "node:fs";
import type { Readable } from "node:stream";
import { Duplex, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";

import { codeOf } from "../store/failure.js";
import { merge } from "../store/merge.js";
import { missing, run } from "../store/process.js";
import { joinRaw, toBytes, toRaw, toText, type Raw } from "../store/raw.js";
import { peek, resolveRaw } from "../store/resolve.js";
import { layerId } from "../store/snapshot.js";
import type { Store } from "../store/store.js";
import { XATTRS } from "../store/transfer.js";
import type { Snapshot } from "../store/types.js";
import { makeWhiteouts } from "../store/whiteout.js";
import { makeOpaque } from "../store/xattr.js";
import { ImageError } from "./failure.js";
import { OPAQUE, rememberBlob, WHITEOUT, type ExportedLayer } from "./layer-out.js";

/** What one layer's tar had in it that overlayfs says in another way. */
interface Content {
  /** Folders that have an entry of their own. */
  readonly folders: Set<Raw>;
  /** Folders that only their content names. */
  readonly implied: Set<Raw>;
  /** Paths of `.wh.` files. */
  readonly whiteouts: Raw[];
}

/**
 * Puts an image layer, whose blob is in the store, on top of `base`. tar unpacks it into a folder
 * of its own, where no link of another layer can lead it astray; then what it says of the layers
 * below is put into overlayfs's notation.
 */
export async function importLayer(
  store: Store,
  base: Snapshot,
  layer: ExportedLayer,
  signal?: AbortSignal,
): Promise<Snapshot> {
  const id = layerId("image", ...base.layers, layer.diffId);
  const done = await store.lookup(base, id);
  if (done) return done;
  const draft = await store.draft(base);
  try {
    const content = await unpack(store, layer, draft.upper, signal);
    const upper = toRaw(draft.upper);
    if (base.layers.length > 0 && content.implied.size > 0) {
      await store.view(await store.compact(base), (root) => {
        adopt(toRaw(root), upper, content.implied);
        return Promise.resolve();
      });
    }
    await hide(upper, content.whiteouts, base.layers.length > 0);
    const snapshot = await draft.commit(id);
    if (snapshot.layers.length > base.layers.length) await rememberBlob(store, id, layer);
    return snapshot;
  } catch (error) {
    await draft.discard();
    throw error;
  }
}

async function unpack(
  store: Store,
  layer: ExportedLayer,
  folder: string,
  signal: AbortSignal | undefined,
): Promise<Content> {
  const hash = createHash("sha256");
  const count = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  const stages = [
    store.blobs.open(layer.descriptor.digest),
    ...(await unpacker(store, layer)),
    count,
  ];
  const source = pipeline(stages as [Readable, Transform], { ...(signal && { signal }) });
  const listing = run(
    "tar",
    [
      ...["--extract", "--verbose", "--quoting-style=escape", "--numeric-owner", "--same-owner"],
      ...["--same-permissions", ...XATTRS, "--file=-"],
    ],
    { cwd: folder, input: count, ...(signal && { signal }) },
  );
  const [tarEnd, sourceEnd] = await Promise.allSettled([listing, source]);
  // A broken archive is the cause when both fail; tar's words are then about its end.
  if (sourceEnd.status === "rejected" && !isClosedPipe(sourceEnd.reason)) {
    throw new ImageError(
      `The layer ${layer.descriptor.digest} cannot be unpacked: ${String(sourceEnd.reason)}`,
      undefined,
      { cause: sourceEnd.reason },
    );
  }
  if (tarEnd.status === "rejected") throw tarEnd.reason;
  const diffId = `sha256:${hash.digest("hex")}`;
  if (diffId !== layer.diffId) {
    throw new ImageError(
      `The layer ${layer.descriptor.digest} unpacks to ${diffId}, but the image says ${layer.diffId}: the image is broken. Nothing of it was kept.`,
    );
  }
  // A device of an image would open the host's: containers get theirs from the runtime.
  await run("find", [".", "(", "-type", "b", "-o", "-type", "c", ")", "-delete"], { cwd: folder });
  return read(tarEnd.value);
}

async function unpacker(store: Store, layer: ExportedLayer): Promise<Duplex[]> {
  const head = store.blobs.open(layer.descriptor.digest, { start: 0, end: 3 });
  const magic = Buffer.concat((await head.toArray()) as Buffer[]).toString("hex");
  if (magic.startsWith("1f8b")) return [createGunzip()];
  if (magic !== "28b52ffd") return [];
  // Node 20 has no zstd.
  const child = spawn("zstd", ["-dc"], { stdio: ["pipe", "pipe", "ignore"] });
  const stream = Duplex.from({ readable: child.stdout, writable: child.stdin });
  child.once("error", () => stream.destroy(missing("zstd")));
  return [stream];
}

function isClosedPipe(error: unknown): boolean {
  return ["EPIPE", "ERR_STREAM_PREMATURE_CLOSE"].includes(codeOf(error) ?? "");
}

/** Reads tar's list of what it unpacked. */
function read(listing: string): Content {
  const content: Content = { folders: new Set(), implied: new Set(), whiteouts: [] };
  for (const row of listing.split("\n")) {
    const path = unescape(row).replace(/^(?:\.?\/)+/, "");
    const name = path.replace(/\/+$/, "");
    if (name === "" || name === ".") continue;
    if (path.endsWith("/")) content.folders.add(name);
    if (name.slice(name.lastIndexOf("/") + 1).startsWith(WHITEOUT)) content.whiteouts.push(name);
    for (let parent = dirname(name); parent !== ""; parent = dirname(parent)) {
      if (content.implied.has(parent)) break;
      content.implied.add(parent);
    }
  }
  for (const folder of content.folders) content.implied.delete(folder);
  return content;
}

const ESCAPES: Record<string, string> = {
  n: "\n",
  t: "\t",
  r: "\r",
  b: "\b",
  f: "\f",
  v: "\v",
  a: "\x07",
  "\\": "\\",
  " ": " ",
};

function unescape(row: string): Raw {
  return row.replace(/\\([0-7]{3}|.)/g, (_, code: string) =>
    code.length === 3 ? String.fromCharCode(Number.parseInt(code, 8)) : (ESCAPES[code] ?? code),
  );
}

/** Folders that the layer names only as part of a path are those of the layers below. */
function adopt(below: Raw, upper: Raw, implied: ReadonlySet<Raw>): void {
  for (const path of [...implied].sort()) {
    const here = joinRaw(upper, path);
    const there = peek(joinRaw(below, path));
    if (!peek(here) || !there) continue;
    if (there.isSymbolicLink()) {
      const target = resolveRaw(below, path, { missing: "allow" }).slice(below.length + 1);
      const moved = resolveRaw(upper, target, { missing: "create", follow: false });
      merge(here, moved);
      rmSync(toBytes(here), { recursive: true });
    } else if (there.isDirectory()) {
      chownSync(toBytes(here), there.uid, there.gid);
      chmodSync(toBytes(here), there.mode & 0o7777);
      lutimesSync(toBytes(here), there.atime, there.mtime);
    }
  }
}

/** Replaces `.wh.` files by whiteouts and opaque folders; at the bottom there is nothing to hide. */
async function hide(upper: Raw, whiteouts: readonly Raw[], above: boolean): Promise<void> {
  const opaque: Raw[] = [];
  const gone: Raw[] = [];
  const touched: [Raw, Stats][] = [];
  for (const path of whiteouts) {
    const folder = dirname(path);
    const parent = joinRaw(upper, folder);
    const times = peek(parent);
    const note = joinRaw(upper, path);
    // Its folder may have been moved along with a link of the layers below.
    if (!times || !peek(note)) continue;
    rmSync(toBytes(note), { recursive: true });
    const name = path.slice(path.lastIndexOf("/") + 1);
    if (name === OPAQUE) {
      opaque.push(folder);
    } else if (!name.startsWith(`${WHITEOUT}${WHITEOUT}`) && above) {
      const target = joinRaw(folder, name.slice(WHITEOUT.length));
      const there = peek(joinRaw(upper, target));
      if (!there) gone.push(target);
      else if (there.isDirectory()) opaque.push(target);
    }
    touched.push([parent, times]);
  }
  await makeWhiteouts(toText(upper), gone);
  for (const [parent, { atime, mtime }] of touched.reverse()) {
    lutimesSync(toBytes(parent), atime, mtime);
  }
  if (above)
    await makeOpaque(
      toText(upper),
      opaque.filter((path) => path !== ""),
    );
}

function dirname(path: Raw): Raw {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}
