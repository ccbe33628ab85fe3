// The process in which a module's functions run: hands the module's sources to the SDK's own
// entrypoint, once for each call that the engine sends. Plain JavaScript, since it starts before
// anything is compiled. Argument: the module's folder. The first message says what is in it.
import { once } from "node:events";
import { createRequire, Module } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { register as compileRequired } from "tsx/cjs/api";
import { register as compileImported } from "tsx/esm/api";

process.on("disconnect", () => process.exit(0));
const told = once(process, "message");
const [folder] = process.argv.slice(2);
// The module's own copy of the SDK: its decorators and this entrypoint share one registry.
const fromModule = createRequire(join(folder, "package.json"));
const sdkPath = fromModule.resolve("@dagger.io/dagger");

// The entrypoint reads the module's types at each call. The sources of a process never change, so
// the compiler's program, which is most of a call's time, is made once; and without the types of
// other packages and of browsers, which cannot stand in a function's signature.
const fromSdk = createRequire(sdkPath);
const ts = fromSdk("typescript");
let program;
function createProgram(roots, options) {
  const lean = { ...options, types: [], lib: ["lib.es2022.d.ts"] };
  const host = ts.createCompilerHost(lean);
  host.resolveModuleNames = (names, file) =>
    names.map((name) =>
      name.startsWith(".") || name === "@dagger.io/dagger"
        ? ts.resolveModuleName(name, file, lean, host).resolvedModule
        : undefined,
    );
  program ??= ts.createProgram(roots, lean, host);
  return program;
}
// In place of the compiler's module: an import takes what a module exported when it was loaded,
// whatever becomes of that later.
const compiler = new Module(fromSdk.resolve("typescript"));
compiler.exports = Object.create(ts, { createProgram: { value: createProgram } });
compiler.loaded = true;
fromSdk.cache[compiler.id] = compiler;

const { entrypoint } = await import(pathToFileURL(sdkPath).href);
const [{ files, workFolder, tsconfig }] = await told;
process.chdir(workFolder);
process.env.TSX_TSCONFIG_PATH = tsconfig;
// From here on TypeScript is compiled as it is loaded; before, the loader would only slow the SDK down.
compileRequired();
compileImported();

// The types are read before anybody calls: a process that was started ahead of its call has them
// then. What is wrong with them, the call says.
const introspector = "./module/introspector/typescript_module/index.js";
await import(new URL(introspector, pathToFileURL(sdkPath)).href)
  .then(({ AST }) => new AST(files, []))
  .catch(() => undefined);

process.on("message", async ({ port, token }) => {
  process.env.DAGGER_SESSION_PORT = String(port);
  process.env.DAGGER_SESSION_TOKEN = token;
  // A function that throws ends the process inside of the entrypoint, after it has told the engine.
  await entrypoint(files);
  process.send({ done: token });
});
process.send({ ready: true });
