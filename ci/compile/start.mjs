// Starts a program of Slipway's: compiled once for its sources as they are, then loaded from there.
// Plain JavaScript, since it runs before anything is compiled.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const COMPILED = join(ROOT, "node_modules", ".cache", "slipway", "programs");

/** @param program Its file below `ci`, without `.ts`: `cli/main`. */
export async function start(program) {
  try {
    await load(program);
  } catch (error) {
    // A clone that nobody has installed the packages of.
    if (error.code !== "ERR_MODULE_NOT_FOUND" || !/Cannot find package/.test(error.message))
      throw error;
    process.stderr.write(`slipway: packages are missing: run \`npm ci\` in ${ROOT}\n`);
    process.exitCode = 3;
  }
}

async function load(program) {
  const folder = join(COMPILED, stateOf(["ci/compile", "ci/cli", "ci/engine", "src"]));
  const file = join(folder, `${program}.mjs`);
  if (!existsSync(file)) {
    const { register } = await import("tsx/esm/api");
    const unregister = register();
    const { compilePrograms } = await import("./programs.ts");
    await unregister();
    await compilePrograms(folder);
  }
  const now = new Date();
  // So that it is not taken for unused; who may not write here uses it all the same.
  try {
    utimesSync(folder, now, now);
  } catch {}
  await import(pathToFileURL(file).href);
}

/** Another one whenever a source file or a package has changed: by times and sizes, as make does. */
function stateOf(folders) {
  const hash = createHash("sha256").update(ROOT).update(process.version);
  const add = (file) => {
    const { mtimeMs, size } = statSync(file);
    hash.update(`${file} ${mtimeMs} ${size}\n`);
  };
  for (const folder of folders)
    for (const entry of readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true }))
      if (entry.isFile()) add(join(entry.parentPath ?? entry.path, entry.name));
  add(join(ROOT, "package-lock.json"));
  return hash.digest("hex").slice(0, 40);
}
