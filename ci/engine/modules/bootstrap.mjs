// The process in which a module's functions run: hands the module's sources to the SDK's own
// entrypoint, once for each call that the engine sends. Plain JavaScript, since it starts before
// anything is compiled. Argument: the SDK in one file. The first message says what the module is.
import { once } from "node:events";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { compilerFor } from "./compiler.mjs";
import { loadScript } from "./script.mjs";
import { typesOf } from "./introspection.mjs";

process.on("disconnect", () => process.exit(0));
const told = once(process, "message");
const [sdkFile] = process.argv.slice(2);

const compiler = compilerFor(sdkFile);
const fromHere = createRequire(import.meta.url);
/** The module's files, loaded: what each exports, or what it failed with. */
const loaded = new Map();
function require(name) {
  if (name === "typescript") return compiler.typescript;
  const file = loaded.get(name);
  if (file?.error) throw file.error;
  // The core's types leave nothing to load.
  return file?.exports ?? (name.endsWith(".gen.ts") ? {} : fromHere(name));
}
const { exports: sdk, keep } = loadScript(sdkFile, require, `${sdkFile}.cache`);
globalThis[Symbol.for("slipway.sdk")] = sdk;

const [{ workFolder, bundle, ...module }] = await told;
process.chdir(workFolder);
process.setSourceMapsEnabled(true);
const types = typesOf(sdk, module);
const { modules } = await import(pathToFileURL(bundle).href);
for (const [file, load] of Object.entries(modules)) {
  loaded.set(
    file,
    await load().then(
      (exports) => ({ exports }),
      (error) => ({ error }),
    ),
  );
}

process.on("message", async ({ port, token, registers }) => {
  process.env.DAGGER_SESSION_PORT = String(port);
  process.env.DAGGER_SESSION_TOKEN = token;
  globalThis[Symbol.for("slipway.types")] = () => types.get(registers);
  // A function that throws ends the process inside of the entrypoint, after it has told the engine.
  await sdk.entrypoint(module.files);
  process.send({ done: token });
});
process.send({ ready: true });
setImmediate(() => {
  keep();
  compiler.keep();
  void types.keep();
});
