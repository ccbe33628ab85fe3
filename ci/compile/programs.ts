import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import type { Plugin } from "esbuild";

import { COMPILED, compile, removeUnused, requiring } from "./compile.js";

const CI = fileURLToPath(new URL("..", import.meta.url));

/** What is started as a program of its own. */
const PROGRAMS = ["cli/main.ts", "engine/main.ts", "engine/admin.ts"];

/** Compiles the command and the engine into a folder that `start.mjs` names by their sources. */
export async function compilePrograms(folder: string): Promise<void> {
  await compile(folder, {
    entryPoints: PROGRAMS.map((name) => join(CI, name)),
    outbase: CI,
    outExtension: { ".js": ".mjs" },
    format: "esm",
    splitting: true,
    plugins: [inPlace],
    banner: { js: requiring(CI) },
  });
  await removeUnused(join(COMPILED, "programs"));
}

/** Packages that are programs themselves, or too large to be worth it, stay where they are. */
const inPlace: Plugin = {
  name: "in-place",
  setup(compiler) {
    compiler.onResolve({ filter: /^(esbuild|tsx|typescript)(\/|$)/ }, async (wanted) => {
      if (wanted.pluginData === inPlace) return undefined;
      const { path, resolveDir, kind } = wanted;
      const found = await compiler.resolve(path, { resolveDir, kind, pluginData: inPlace });
      return { path: pathToFileURL(found.path).href, external: true };
    });
  },
};
