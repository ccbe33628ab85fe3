import { mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import type { BuildFailure, BuildOptions, Plugin } from "esbuild";

/** Where compiled code is kept: with the packages that it was compiled with, and as long as they. */
export const COMPILED = fileURLToPath(
  new URL("../../node_modules/.cache/slipway", import.meta.url),
);

/** What was compiled is kept for so many days after its last use. */
const KEPT_DAYS = 7;

/** The compiler's words on code that it does not take. */
export class CompileError extends Error {
  override readonly name = "CompileError";
}

/**
 * Bundles code into a folder, which appears whole or not at all: two processes may compile the same.
 *
 * @throws CompileError when the code cannot be compiled.
 */
export async function compile(folder: string, options: BuildOptions): Promise<void> {
  const { build } = await import("esbuild");
  const temporary = `${folder}.${process.pid}`;
  await mkdir(dirname(folder), { recursive: true });
  try {
    await build({
      bundle: true,
      platform: "node",
      target: "node20",
      outdir: temporary,
      keepNames: true,
      logLevel: "silent",
      // With decorators, whatever a module's own tsconfig.json says: as by Dagger.
      tsconfigRaw: { compilerOptions: { target: "ES2022", experimentalDecorators: true } },
      ...options,
      plugins: [...(options.plugins ?? []), ownPlace],
    });
    await rename(temporary, folder).catch(async (error: unknown) => {
      // Somebody was faster.
      if (!(await stat(folder).catch(() => undefined))) throw error;
    });
  } catch (error) {
    throw await complaintOf(error);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** Removes what nobody has used for a week; use is a folder's time of change. */
export async function removeUnused(folder: string): Promise<void> {
  const oldest = Date.now() - KEPT_DAYS * 24 * 3600_000;
  for (const name of await readdir(folder)) {
    const used = await stat(join(folder, name)).catch(() => undefined);
    if (used && used.mtimeMs < oldest)
      await rm(join(folder, name), { recursive: true, force: true });
  }
}

/** The `require` of packages in the older form of modules, which they may call while they run. */
export function requiring(folder: string): string {
  const from = JSON.stringify(pathToFileURL(join(folder, "package.json")).href);
  return `import { createRequire as __createRequire } from "node:module"; const require = __createRequire(${from});`;
}

async function complaintOf(error: unknown): Promise<unknown> {
  const { errors } = error as Partial<BuildFailure>;
  if (errors === undefined) return error;
  const { formatMessages } = await import("esbuild");
  const said = await formatMessages(errors, { kind: "error" });
  return new CompileError(`cannot be compiled:\n${said.join("").trim()}`);
}

/** What a file asks about its own place is answered by its source's. */
const ownPlace: Plugin = {
  name: "own-place",
  setup(compiler) {
    compiler.onLoad({ filter: /\.[cm]?[jt]s$/ }, async ({ path }) => {
      const text = await readFile(path, "utf8");
      if (!/import\.meta\.|__(dir|file)name\b/.test(text)) return undefined;
      const place = { url: pathToFileURL(path).href, dirname: dirname(path), filename: path };
      const placed = (found: RegExp) => (from: string) =>
        from.replace(found, (_, name: keyof typeof place) => JSON.stringify(place[name]));
      const address = placed(/\bimport\.meta\.(url|dirname|filename)\b/g);
      // Who declares them means others.
      const isOwn = /\b(const|let|var) __(dir|file)name\b/.test(text);
      const variables = isOwn ? address : placed(/\b__(dirname|filename)\b/g);
      const contents = variables(address(text));
      return { contents, loader: path.endsWith("ts") ? "ts" : "js" };
    });
  },
};
