import { lstat, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { megabytes, type Section } from "./measure.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

interface Lock {
  readonly packages: Readonly<Record<string, { dev?: boolean; optional?: boolean }>>;
}

/** What a Dagger runtime installs for the module (`npm install --omit=dev`), and what it parses. */
export async function coldStart(): Promise<Section> {
  const lock = JSON.parse(await readFile(join(ROOT, "package-lock.json"), "utf8")) as Lock;
  const names = Object.entries(lock.packages)
    .filter(([path, { dev }]) => path !== "" && dev !== true)
    .map(([path]) => path);
  const rows = [];
  let total = { files: 0, bytes: 0 };
  for (const name of names) {
    const size = await sizeOf(join(ROOT, name));
    total = { files: total.files + size.files, bytes: total.bytes + size.bytes };
    rows.push({
      what: name.replace("node_modules/", ""),
      value: `${megabytes(size.bytes)}, ${size.files} files`,
    });
  }
  const source = await sizeOf(join(ROOT, "src"));
  return {
    title: "Cold start of the module",
    how: "packages that a Dagger runtime installs before the module's first call, out of the lock file, without the SDK, which Dagger brings along; and the module's own source, which is parsed at each call",
    rows: [
      ...rows,
      {
        what: `${names.length} packages together`,
        value: `${megabytes(total.bytes)}, ${total.files} files`,
      },
      { what: "src", value: `${megabytes(source.bytes)}, ${source.files} files` },
    ],
  };
}

/** Files and bytes below a folder, without the packages that are nested in it. */
async function sizeOf(folder: string): Promise<{ files: number; bytes: number }> {
  let files = 0;
  let bytes = 0;
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.name === "node_modules") continue;
    const path = join(folder, entry.name);
    const size = entry.isDirectory()
      ? await sizeOf(path)
      : { files: 1, bytes: (await lstat(path)).size };
    files += size.files;
    bytes += size.bytes;
  }
  return { files, bytes };
}
