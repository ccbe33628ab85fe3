import { readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { run } from "./process.js";

/** Bytes on disk of each entry of a folder. Layers never change, so theirs are measured once. */
export async function measure(
  folder: string,
  remembered?: { file: string; temporary: string },
): Promise<Map<string, number>> {
  const names = await readdir(folder);
  const known = remembered ? await load(remembered.file) : {};
  const unknown = names.filter((name) => known[name] === undefined);
  const output = await run("xargs", ["-0", "-r", "du", "-s", "--block-size=1", "--"], {
    cwd: folder,
    input: unknown.map((name) => `./${name}\0`),
  });
  for (const row of output.split("\n")) {
    const [, bytes, name] = /^(\d+)\t\.\/(.*)$/.exec(row) ?? [];
    if (bytes !== undefined && name !== undefined) known[name] = Number(bytes);
  }
  const sizes = new Map(names.map((name) => [name, known[name] ?? 0]));
  if (remembered && unknown.length > 0) {
    await save(remembered.file, join(remembered.temporary, "sizes"), sizes);
  }
  return sizes;
}

/** Files of the memos' folder with their last use. */
export async function memoFiles(folder: string): Promise<{ path: string; used: number }[]> {
  const found: { path: string; used: number }[] = [];
  for (const group of await readdir(folder)) {
    for (const name of await readdir(join(folder, group))) {
      const path = join(folder, group, name);
      found.push({ path, used: (await stat(path)).mtimeMs });
    }
  }
  return found;
}

export function sum(sizes: ReadonlyMap<string, number>): number {
  let total = 0;
  for (const size of sizes.values()) total += size;
  return total;
}

async function load(file: string): Promise<Record<string, number>> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as Record<string, number>;
  } catch {
    // Missing or cut: measured anew.
    return {};
  }
}

async function save(file: string, temporary: string, sizes: Map<string, number>): Promise<void> {
  try {
    await writeFile(temporary, JSON.stringify(Object.fromEntries(sizes)));
    await rename(temporary, file);
  } catch {
    // On a full disk, pruning must still work: measured again next time.
    await rm(temporary, { force: true });
  }
}
