import { createReadStream, createWriteStream } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";

/** Where a file that is written to the host goes. */
export interface Place {
  /** Behind links, which stay. */
  readonly path: string;
  /** A device or a pipe: it is written into, and no file ever takes its place. */
  readonly isStream: boolean;
}

export async function placeOf(path: string): Promise<Place> {
  const there = await stat(path).catch(() => undefined);
  if (there === undefined) return { path, isStream: false };
  // What a pipe's link in /proc leads to has no path.
  if (!there.isFile() && !there.isDirectory()) return { path, isStream: true };
  return { path: await realpath(path), isStream: false };
}

/** Writes what is in `file` into a device or a pipe. */
export async function pour(file: string, { path }: Place, signal?: AbortSignal): Promise<void> {
  await pipeline(createReadStream(file), createWriteStream(path), { ...(signal && { signal }) });
}
