import { readFile, readdir, stat } from "node:fs/promises";
import { createHash } from "node:crypto";
import { dirname, join, posix, relative, resolve } from "node:path";
import { digestOf } from "../graph/digest.js";
import { EngineError } from "../graph/errors.js";
import type { Node } from "../graph/node.js";
import type { Call, Session } from "../session.js";
import { sdkVersion } from "./compile.js";
import { keepsResults, type ModuleAge } from "./keeping.js";
import { pascal } from "./names.js";
import { prepareProcess, runFunction } from "./runtime.js";
import { moduleTables } from "./schema.js";
import type { ModuleSourceValue, ModuleValue, TypeDefValue } from "./types.js";

interface Manifest extends ModuleAge {
  name?: string;
  source?: string;
  sdk?: string | { source?: string };
  dependencies?: unknown[];
}

/** Finds the dagger.json that a reference means and reads it. */
export async function readManifest(call: Call, reference: string): Promise<ModuleSourceValue> {
  const start = resolve(call.client.cwd, reference);
  const folder = await findUp(start, "dagger.json");
  if (folder === undefined) {
    throw new EngineError(
      `no module found: neither ${start} nor a folder above it has a dagger.json; the embedded engine loads local modules only, references to repositories work on Dagger's engine`,
    );
  }
  const text = await readFile(join(folder, "dagger.json"), "utf8");
  let manifest: Manifest;
  try {
    manifest = JSON.parse(text) as Manifest;
  } catch (error) {
    throw new EngineError(
      `${join(folder, "dagger.json")} is not JSON: ${(error as Error).message}`,
    );
  }
  const sdk = typeof manifest.sdk === "string" ? manifest.sdk : manifest.sdk?.source;
  if (sdk !== "typescript") {
    throw new EngineError(
      `module ${manifest.name ?? folder}: SDK ${JSON.stringify(sdk ?? "none")} is not implemented by the embedded engine (typescript is); it works on Dagger's engine`,
    );
  }
  if (manifest.dependencies?.length) {
    throw new EngineError(
      `module ${manifest.name ?? folder}: dependencies are not implemented by the embedded engine; they work on Dagger's engine`,
    );
  }
  const source = join(folder, manifest.source ?? ".");
  const files = await typescriptFiles(join(source, "src"));
  if (files.length === 0)
    throw new EngineError(
      `module ${manifest.name ?? folder} has no TypeScript files in ${join(source, "src")}`,
    );
  return {
    name: manifest.name ?? "",
    engineVersion: manifest.engineVersion ?? "",
    folder: source,
    root: folder,
    keepsResults: keepsResults(manifest),
    contextFolder: (await findUp(folder, ".git")) ?? folder,
    files,
    digest: await sourceDigest(source, files, text),
  };
}

async function findUp(start: string, name: string): Promise<string | undefined> {
  for (let at = start; ; at = dirname(at)) {
    if (await stat(join(at, name)).catch(() => undefined)) return at;
    if (dirname(at) === at) return undefined;
  }
}

async function typescriptFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile() && /\.m?ts$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

async function sourceDigest(folder: string, files: string[], manifest: string): Promise<string> {
  const hash = createHash("sha256")
    .update(manifest)
    .update(await sdkVersion());
  const extra = ["package.json", "package-lock.json", "tsconfig.json"].map((name) =>
    join(folder, name),
  );
  const all = [...files, ...extra];
  const contents = await Promise.all(
    all.map((file) => readFile(file).catch(() => Buffer.from(""))),
  );
  for (const [index, file] of all.entries()) {
    const content = contents[index] ?? "";
    hash
      .update(posix.normalize(relative(folder, file)))
      .update("\0")
      .update(content)
      .update("\0");
  }
  return hash.digest("hex");
}

/** The module with its types: from an earlier registration of the same code, or by running it. */
export async function loadModule(call: Call, source: ModuleSourceValue): Promise<ModuleValue> {
  const { store, events } = call.session.engine;
  const key = `module/${digestOf(source.digest, source.name, call.session.coreTypes)}`;
  const known = (await store.memo.get(key)) as ModuleValue | undefined;
  if (known) {
    // When that fails, the call that needs it says why.
    if (call.session.engine.options.eager === source.folder)
      void prepareProcess(call, source).catch(() => undefined);
    return { ...known, source };
  }
  const module = await events.step(
    `load module ${source.name}`,
    async (output) => {
      const id = await runFunction(
        call,
        source,
        { moduleName: source.name, parentName: "", name: "", parent: "null", inputArgs: [] },
        output,
      );
      const node = call.session.node(JSON.parse(id) as string, "Module");
      return call.session.force<ModuleValue>(node, call.client, call.signal);
    },
    call.signal,
  );
  if (!module.objects.some(({ name }) => name === pascal(source.name))) {
    throw new EngineError(
      `module ${source.name} has no main object: expected an @object() class ${pascal(source.name)} in ${source.folder}/src`,
    );
  }
  const named = namespaced(source.name, module);
  await store.memo.set(key, named, {});
  return { ...named, source };
}

/** Types other than the main one carry the module's name in front, so that modules do not collide. */
function namespaced(moduleName: string, module: ModuleValue): ModuleValue {
  const main = pascal(moduleName);
  const own = new Set(
    [...module.objects, ...module.enums, ...module.interfaces].map(({ name }) => name),
  );
  const rename = (name: string) =>
    !own.has(name) || name.startsWith(main) ? name : `${main}${name}`;
  const fix = (type: TypeDefValue): TypeDefValue => ({
    ...type,
    name: rename(type.name),
    originalName: type.name,
    ...(type.element && { element: fix(type.element) }),
    fields: type.fields.map((field) => ({ ...field, typeDef: fix(field.typeDef) })),
    functions: type.functions.map(fixFunction),
    ...(type.constructorFunction && { constructorFunction: fixFunction(type.constructorFunction) }),
  });
  const fixFunction = (fn: TypeDefValue["functions"][number]) => ({
    ...fn,
    returnType: fix(fn.returnType),
    args: fn.args.map((arg) => ({ ...arg, typeDef: fix(arg.typeDef) })),
  });
  return {
    ...module,
    name: moduleName,
    objects: module.objects.map(fix),
    enums: module.enums.map(fix),
    interfaces: module.interfaces.map(fix),
  };
}

/** Makes the module's functions part of the session's schema. */
export function serve(session: Session, module: ModuleValue, node: Node | undefined): void {
  const { source } = module;
  if (!source || !node) {
    throw new EngineError("only a module that was loaded from a source can be served");
  }
  if (session.served.some(({ name }) => name === module.name)) return;
  session.served.push(module);
  session.extend(moduleTables(module, source));
}
