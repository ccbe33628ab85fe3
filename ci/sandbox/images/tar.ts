import { Readable } from "node:stream";

import { pack } from "tar-stream";

import { SOURCE_DATE_EPOCH } from "./oci.js";

const MTIME = new Date(SOURCE_DATE_EPOCH * 1000);

/** An entry of a layer; folders have neither content nor a link. */
export interface Entry {
  content?: Buffer;
  /** Path, inside the layer, of the file that this one is another name of. */
  link?: string;
  mode?: number;
}

/** A tar stream that depends on nothing but its entries: sorted, owned by root, of one time. */
export function tarOf(entries: Record<string, Entry>): Readable {
  const tar = pack();
  for (const [name, { content, link, mode }] of Object.entries(entries).sort(byName)) {
    const header = { name, mtime: MTIME, uid: 0, gid: 0 };
    if (link !== undefined) tar.entry({ ...header, type: "link", linkname: link, mode: 0o755 });
    else if (content) tar.entry({ ...header, mode: mode ?? 0o644 }, content);
    else tar.entry({ ...header, type: "directory", mode: mode ?? 0o755 });
  }
  tar.finalize();
  // tar-stream's own stream is not Node's.
  return Readable.from(tar);
}

/** Folders before what is in them, and the file before its links: `bin/busybox` is no first name. */
function byName([a, x]: [string, Entry], [b, y]: [string, Entry]): number {
  const links = Number(x.link !== undefined) - Number(y.link !== undefined);
  return links === 0 ? (a < b ? -1 : 1) : links;
}

/** The one block that stands for an empty folder, to be put before another tar stream. */
export async function folderHeader(name: string): Promise<Buffer> {
  const tar = pack();
  tar.entry({ name, type: "directory", mode: 0o755, mtime: MTIME, uid: 0, gid: 0 });
  tar.finalize();
  for await (const header of Readable.from(tar)) return header as Buffer;
  throw new Error("tar-stream wrote no header");
}
