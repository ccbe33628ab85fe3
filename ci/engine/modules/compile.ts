import { createHash } from "node:crypto";
import { readFile, stat, utimes } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

import type { Plugin } from "esbuild";

import { compile, COMPILED, CompileError, removeUnused, requiring } from "../../compile/compile.js";
import { EngineError } from "../graph/errors.js";

const require = createRequire(import.meta.url);

/** Names under which the process has the SDK for the modules that import it. */
const SDK = "@dagger.io/dagger";
const TELEMETRY = `${SDK}/telemetry`;

/** The SDK whose entrypoint runs modules, as installed beside this file. */
export function sdkFolder(): string {
  return dirname(dirname(dirname(require.resolve(SDK))));
}

export async function sdkVersion(): Promise<string> {
  const text = await readFile(join(sdkFolder(), "package.json"), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

/** Where the SDK has the classes of what it reads of a module's types, and which of them its index lacks. */
const TYPES = "module/introspector/dagger_module";
const UNSHARED = ["property", "typeObjectProperty", "interfaceFunction"];

/** What decides how code is compiled and kept: what was made another way is not taken. */
const WAY = ["../../compile/compile.ts", "./compile.ts", "./compiler.mjs", "./introspection.mjs"];

async function wayDigest(): Promise<string> {
  const texts = await Promise.all(WAY.map((name) => readFile(new URL(name, import.meta.url))));
  return texts.reduce((hash, text) => hash.update(text), createHash("sha256")).digest("hex");
}

/** Where the SDK is in one file, once `compileSdk` has made it. */
export async function sdkBundle(): Promise<string> {
  const [version, way] = await Promise.all([sdkVersion(), wayDigest()]);
  return join(COMPILED, `sdk-${version}-${way.slice(0, 12)}`, "sdk.cjs");
}

/**
 * Compiles the SDK into one file: the thousand of which it consists take longer to load than most
 * functions to run. It is the SDK's own code, unchanged; only what it imports by a name that is not
 * known before, a module's files, it asks its loader for, and its entrypoint is told a module's types
 * by who keeps them (introspection.mjs).
 */
export async function compileSdk(): Promise<string> {
  const file = await sdkBundle();
  if (await stat(file).catch(() => undefined)) return file;
  const from = (path: string): string => JSON.stringify(join(sdkFolder(), "dist/src", path));
  await compile(dirname(file), {
    stdin: {
      contents: [
        `export * from ${from("index.js")};`,
        `export * as telemetry from ${from("telemetry/index.js")};`,
        `export { load } from ${from("module/entrypoint/load.js")};`,
        `export { scan } from ${from("module/introspector/index.js")};`,
        `import * as shared from ${from("module/introspector/dagger_module/index.js")};`,
        ...UNSHARED.map((name) => `import * as ${name} from ${from(`${TYPES}/${name}.js`)};`),
        `export const classes = { ${["shared", ...UNSHARED].map((name) => `...${name}`).join(", ")} };`,
      ].join("\n"),
      resolveDir: sdkFolder(),
      sourcefile: "sdk.js",
    },
    entryNames: "sdk",
    outExtension: { ".js": ".cjs" },
    format: "cjs",
    external: ["typescript"],
    plugins: [keptTypes],
    supported: { "dynamic-import": false },
  });
  return file;
}

/** What of a module decides how it is compiled. */
interface Sources {
  readonly folder: string;
  readonly files: readonly string[];
  readonly digest: string;
}

/**
 * Compiles a module's files, with the packages they import, into one that exports `modules`: each
 * file's path, and what loads it.
 *
 * @throws EngineError with what the compiler says of the module's code.
 */
export async function compileModule({ folder, files, digest }: Sources): Promise<string> {
  const kept = join(COMPILED, "modules");
  // Paths stand in what is compiled.
  const identity = [digest, folder, await wayDigest()].join("\0");
  const key = createHash("sha256").update(identity).digest("hex").slice(0, 40);
  const file = join(kept, key, "module.mjs");
  const now = new Date();
  const isKnown = await utimes(dirname(file), now, now).then(
    () => true,
    () => false,
  );
  if (isKnown) return file;
  const entries = files.map((each) => {
    const path = JSON.stringify(each);
    return `${path}: () => import(${path}),`;
  });
  try {
    await compile(dirname(file), {
      stdin: {
        contents: `export const modules = {\n${entries.join("\n")}\n};`,
        resolveDir: folder,
        sourcefile: "module.js",
      },
      entryNames: "module",
      outExtension: { ".js": ".mjs" },
      format: "esm",
      plugins: [ownSdk],
      banner: { js: requiring(folder) },
      loader: { ".node": "copy" },
      sourcemap: "linked",
      sourcesContent: false,
    });
  } catch (error) {
    if (error instanceof CompileError) throw new EngineError(`it ${error.message}`);
    throw error;
  }
  await removeUnused(kept);
  return file;
}

/** Modules share the SDK of their process: its decorators and its entrypoint have one registry. */
const ownSdk: Plugin = {
  name: "own-sdk",
  setup(compiler) {
    const filter = new RegExp(`^${SDK}(/telemetry)?$`);
    compiler.onResolve({ filter }, ({ path }) => ({ path, namespace: "sdk" }));
    compiler.onLoad({ filter: /.*/, namespace: "sdk" }, ({ path }) => ({
      contents: `module.exports = globalThis[Symbol.for("slipway.sdk")]${path === TELEMETRY ? ".telemetry" : ""};`,
    }));
  },
};

/** The entrypoint asks the process for a module's types, which reads them once. */
const keptTypes: Plugin = {
  name: "kept-types",
  setup(compiler) {
    compiler.onResolve({ filter: /introspector\/index\.js$/ }, ({ importer, path }) =>
      importer.endsWith("/entrypoint/entrypoint.js") ? { path, namespace: "types" } : undefined,
    );
    compiler.onLoad({ filter: /.*/, namespace: "types" }, () => ({
      contents: `export const scan = () => globalThis[Symbol.for("slipway.types")]();`,
    }));
  },
};
