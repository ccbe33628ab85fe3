import { createHash } from "node:crypto";
import { chmodSync, chownSync, createReadStream, readFileSync, readlinkSync } from "node:fs";
import { pipeline } from "node:stream/promises";

import { TreeError } from "./failure.js";
import { run } from "./process.js";
import { joinRaw, toBytes, toRaw, toText, type Raw } from "./raw.js";
import { peek, resolveRaw } from "./resolve.js";
import { transfer } from "./transfer.js";
import type { CopyOptions, TreeFilter } from "./types.js";
import { walk, type Entry } from "./walk.js";

export { resolveIn, type ResolveOptions } from "./resolve.js";

/**
 * Copies a file to `dstPath`, or the content of a folder into the folder `dstPath`, which is made
 * with its parents. Modes, owners, times, links and xattrs are kept unless `options` says otherwise.
 * Links in `dstPath` are followed inside `dstRoot`; a file's last component is replaced.
 *
 * @throws TreeError when the source is missing, or something of another type is in the way.
 */
export async function copyTree(
  srcRoot: string,
  srcPath: string,
  dstRoot: string,
  dstPath: string,
  options: CopyOptions = {},
): Promise<void> {
  const from = resolveRaw(toRaw(srcRoot), toRaw(srcPath));
  const parents = { missing: "create" as const, ...(options.owner && { owner: options.owner }) };
  if (peek(from)?.isDirectory()) {
    const to = resolveRaw(toRaw(dstRoot), toRaw(dstPath), parents);
    const root = toRaw(dstRoot);
    const entries = walk(from, options, options.signal, toRaw(srcRoot));
    await transfer(from, to, entries, { ...options, root });
    return;
  }
  const [, folder = "", name = ""] = /^(.*?)([^/]*)\/*$/s.exec(toRaw(dstPath)) ?? [];
  const to = joinRaw(resolveRaw(toRaw(dstRoot), folder, parents), name);
  await copyFile(from, to, toRaw(dstPath), options);
}

async function copyFile(from: Raw, to: Raw, shown: Raw, options: CopyOptions): Promise<void> {
  if (peek(to)?.isDirectory()) {
    throw new TreeError(`Cannot copy a file over ${toText(shown)}: it is a directory`, "EISDIR");
  }
  // Linux allows a NUL in no name, so a list of names for xargs holds any path.
  await run("xargs", ["-0", "cp", "--archive", "--remove-destination", "-T", "--"], {
    input: [toBytes(`${from}\0${to}\0`)],
    ...(options.signal && { signal: options.signal }),
  });
  if (options.owner) chownSync(toBytes(to), options.owner.uid, options.owner.gid);
  if (options.permissions !== undefined) chmodSync(toBytes(to), options.permissions);
}

interface DigestOptions extends TreeFilter {
  /** Counts modes and owners (default true). */
  metadata?: boolean;
  signal?: AbortSignal;
}

/**
 * `sha256:` digest of a file or folder: names, types, modes, owners, link targets and contents;
 * not times and xattrs. The name of the file or folder itself does not count.
 */
export async function digestTree(
  root: string,
  path: string,
  options: DigestOptions = {},
): Promise<string> {
  const { metadata = true, signal } = options;
  const at = resolveRaw(toRaw(root), toRaw(path));
  const stat = peek(at);
  if (!stat) throw new TreeError(`${path}: no such file or directory`, "ENOENT");
  const hash = createHash("sha256");
  const add = async (entry: Entry, absolute: Raw): Promise<void> => {
    const content = entry.stat.isFile() ? await digestFile(absolute, entry.stat.size) : "";
    hash.update(line(entry, content, readLink(absolute, entry), metadata));
    signal?.throwIfAborted();
  };
  if (!stat.isDirectory()) await add({ path: "", stat }, at);
  else
    for await (const entry of walk(at, options, signal)) await add(entry, joinRaw(at, entry.path));
  return `sha256:${hash.digest("hex")}`;
}

/** One entry's part of a tree's digest. No two different entries give the same line. */
export function line(entry: Entry, content: string, target: Raw, metadata: boolean): Buffer {
  const { mode, uid, gid, rdev } = entry.stat;
  const owner = metadata ? [mode & 0o7777, uid, gid] : [];
  const fields = [mode & 0o170000, ...owner, rdev, content, entry.path, target];
  return toBytes(`${fields.join("\0")}\0\n`);
}

export function readLink(absolute: Raw, { stat }: Entry): Raw {
  return stat.isSymbolicLink() ? readlinkSync(toBytes(absolute), "latin1") : "";
}

// Small files are read at once: opening a stream costs more than their content.
const SMALL = 1 << 20;

/** sha256 (hex) of a file's content. */
export async function digestFile(path: Raw, size: number): Promise<string> {
  const hash = createHash("sha256");
  if (size <= SMALL) return hash.update(readFileSync(toBytes(path))).digest("hex");
  await pipeline(createReadStream(toBytes(path), { highWaterMark: SMALL }), hash);
  return hash.digest("hex");
}
