import { createHash } from "node:crypto";
import { createReadStream, readFileSync, type Stats } from "node:fs";
import { PassThrough, Readable, type Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";

import { joinRaw, toBytes, toRaw, toText, type Raw } from "../store/raw.js";
import { SCRATCH } from "../store/snapshot.js";
import type { Store } from "../store/store.js";
import { readLink } from "../store/tree.js";
import type { LayerId, Snapshot } from "../store/types.js";
import { walk, type Entry } from "../store/walk.js";
import { isWhiteout } from "../store/whiteout.js";
import { readXattrs, type Attributes } from "../store/xattr.js";
import { ImageError } from "./failure.js";
import { padding, TAR_END, tarHeader, type TarHeader } from "./tar.js";
import type { Descriptor, ExportSettings } from "./types.js";

export const WHITEOUT = ".wh.";
export const OPAQUE = ".wh..wh..opq";

/** A layer as registries have it. */
export interface ExportedLayer {
  /** Its blob in the store. */
  descriptor: Descriptor;
  /** Digest of the uncompressed tar. */
  diffId: string;
}

const SMALL = 1 << 20;
const NOTHING: Attributes = { values: new Map(), opaque: false };

/**
 * Each layer of a snapshot as a blob in the store, lowest first. The same layer gives the same
 * blob, and the layers of a pulled image give the blobs that were pulled.
 */
export async function exportLayers(
  store: Store,
  snapshot: Snapshot,
  settings: ExportSettings = {},
): Promise<ExportedLayer[]> {
  const exported: ExportedLayer[] = [];
  for (const id of snapshot.layers) exported.push(await exportLayer(store, id, settings));
  return exported;
}

/** Remembers which blob a pulled layer was made from. */
export async function rememberBlob(store: Store, id: LayerId, layer: ExportedLayer): Promise<void> {
  const refs = { layers: [id], blobs: [layer.descriptor.digest] };
  await store.memo.set(`blob of ${id}`, layer, refs);
}

async function exportLayer(
  store: Store,
  id: LayerId,
  { compression = "gzip", signal }: ExportSettings,
): Promise<ExportedLayer> {
  const key = `export ${id} ${compression}`;
  const known = (await store.memo.get(`blob of ${id}`)) ?? (await store.memo.get(key));
  if (known) return known as ExportedLayer;
  if ((await store.lookup(SCRATCH, id)) === undefined) {
    throw new ImageError(`Layer ${id} is not in the store: it was pruned, or made in another one`);
  }
  const hash = createHash("sha256");
  const packer: Transform = compression === "gzip" ? createGzip({ level: 5 }) : new PassThrough();
  const tar = Readable.from(measured(layerTar(store.layerPath(id), signal), hash), {
    objectMode: false,
  });
  const [blob] = await Promise.all([
    store.blobs.put(packer, {}, signal),
    pipeline(tar, packer, { ...(signal && { signal }) }),
  ]);
  const mediaType = `application/vnd.oci.image.layer.v1.tar${compression === "gzip" ? "+gzip" : ""}`;
  const layer = { descriptor: { mediaType, ...blob }, diffId: `sha256:${hash.digest("hex")}` };
  await store.memo.set(key, layer, { layers: [id], blobs: [blob.digest] });
  return layer;
}

async function* measured(
  chunks: AsyncIterable<Buffer>,
  hash: { update(chunk: Buffer): unknown },
): AsyncGenerator<Buffer> {
  // Headers are small: sent on their own, each would cost a trip through the stream.
  let waiting: Buffer[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    hash.update(chunk);
    waiting.push(chunk);
    size += chunk.length;
    if (size < 1 << 16) continue;
    yield Buffer.concat(waiting);
    waiting = [];
    size = 0;
  }
  yield Buffer.concat(waiting);
}

/** The layer in OCI's notation: sorted, removals as `.wh.` files, times cut to seconds. */
async function* layerTar(folder: string, signal: AbortSignal | undefined): AsyncGenerator<Buffer> {
  const root = toRaw(folder);
  const attributes = await readXattrs(folder, carriers(root));
  const links = new Map<number, Raw>();
  for await (const entry of walk(root, {}, signal)) {
    const { path, stat } = entry;
    const name = path.slice(path.lastIndexOf("/") + 1);
    const parent = path.slice(0, path.length - name.length);
    if (name.startsWith(WHITEOUT)) {
      throw new ImageError(
        `/${toText(path)} cannot be in an image: names that start with "${WHITEOUT}" mean removed files there. Rename or remove it.`,
      );
    }
    if (isWhiteout(stat)) {
      yield tarHeader({ name: `${parent}${WHITEOUT}${name}`, type: "file", mode: 0o600 });
      continue;
    }
    const { values, opaque } = attributes.get(path) ?? NOTHING;
    const first = stat.isFile() && stat.nlink > 1 ? links.get(stat.ino) : undefined;
    if (stat.isFile() && first === undefined) links.set(stat.ino, path);
    const header = describe(joinRaw(root, path), entry, first);
    yield tarHeader({ ...header, ...(first === undefined && { xattrs: values }) });
    if (header.size) {
      yield* content(joinRaw(root, path), header.size);
      yield padding(header.size);
    }
    if (opaque) yield tarHeader({ name: `${path}/${OPAQUE}`, type: "file", mode: 0o600 });
  }
  yield TAR_END;
}

async function* carriers(root: Raw): AsyncGenerator<Raw> {
  for await (const { path, stat } of walk(root))
    if (stat.isFile() || stat.isDirectory()) yield path;
}

function describe(absolute: Raw, entry: Entry, first: Raw | undefined): TarHeader {
  const { path, stat } = entry;
  const common = {
    name: path,
    mode: stat.mode,
    uid: stat.uid,
    gid: stat.gid,
    // A folder's time only says when something was last put into it, which differs at each build.
    mtime: stat.isDirectory() ? 0 : Math.max(0, Math.floor(stat.mtimeMs / 1000)),
  };
  if (first !== undefined) return { ...common, type: "link", target: first };
  const target = readLink(absolute, entry);
  if (stat.isFile()) return { ...common, type: "file", size: stat.size };
  if (stat.isSymbolicLink()) return { ...common, type: "symlink", target };
  if (stat.isDirectory()) return { ...common, type: "directory" };
  if (stat.isFIFO()) return { ...common, type: "fifo" };
  return { ...common, type: stat.isBlockDevice() ? "block" : "char", ...device(stat) };
}

/** As glibc packs them into 64 bits; those above 32 bits do not occur. */
function device({ rdev }: Stats): { major: number; minor: number } {
  return { major: (rdev >>> 8) & 0xfff, minor: (rdev & 0xff) | ((rdev >>> 12) & 0xfff00) };
}

async function* content(path: Raw, size: number): AsyncGenerator<Buffer> {
  if (size <= SMALL) yield readFileSync(toBytes(path));
  else yield* createReadStream(toBytes(path), { highWaterMark: SMALL }) as AsyncIterable<Buffer>;
}
