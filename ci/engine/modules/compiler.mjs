// TypeScript for the SDK's introspection, which reads a module's types.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { loadScript } from "./script.mjs";

/**
 * The compiler that the SDK asks for: without the types of other packages and of browsers, which cannot
 * stand in a function's signature. It is loaded when it is used, as it is not where a module's types are
 * kept: that takes as long as the rest of the SDK.
 *
 * @param sdkFile Path of the SDK in one file: the byte code that is kept of the compiler is beside it.
 */
export function compilerFor(sdkFile) {
  let loaded;
  const load = () => (loaded ??= loadCompiler(sdkFile));
  // What a bundle asks of a module before it uses it is not asked of the compiler.
  const typescript = new Proxy(
    {},
    {
      get: (_, name) => (name === "__esModule" ? undefined : load().typescript[name]),
    },
  );
  return { typescript, keep: () => loaded?.keep() };
}

function loadCompiler(sdkFile) {
  const installed = createRequire(createRequire(import.meta.url).resolve("@dagger.io/dagger"));
  const file = installed.resolve("typescript");
  const kept = join(dirname(sdkFile), "typescript.cache");
  const { exports: ts, keep } = loadScript(file, createRequire(file), kept);
  function createProgram(roots, options) {
    const own = { ...options, types: [], lib: ["lib.es2022.d.ts"] };
    const host = ts.createCompilerHost(own);
    host.resolveModuleNames = (names, from) =>
      names.map((name) =>
        name.startsWith(".") || name === "@dagger.io/dagger"
          ? ts.resolveModuleName(name, from, own, host).resolvedModule
          : undefined,
      );
    return ts.createProgram(roots, own, host);
  }
  // An import takes what a module exported when it was loaded, whatever becomes of that later.
  return { typescript: Object.create(ts, { createProgram: { value: createProgram } }), keep };
}
