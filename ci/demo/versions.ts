import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { edited, type Version } from "../../src/core/demo/versions.js";

/** Copies the service into a folder as another version. */
export async function writeVersion(
  service: string,
  folder: string,
  { edits }: Version,
): Promise<void> {
  await cp(service, folder, {
    recursive: true,
    filter: (path) => !/\/(\.\w+|__pycache__)$/.test(path),
  });
  for (const edit of edits) {
    const path = join(folder, edit[0]);
    await writeFile(path, edited(await readFile(path, "utf8"), edit));
  }
}
