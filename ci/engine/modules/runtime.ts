import { randomBytes } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { FunctionCall } from "../client.js";
import { digestOf } from "../graph/digest.js";
import { EngineError } from "../graph/errors.js";
import type { Call, Session } from "../session.js";
import { compileModule, compileSdk, sdkFolder, sdkVersion } from "./compile.js";
import type { ModuleSourceValue } from "./types.js";
import { Workers, type RunnableModule } from "./worker.js";

type Invocation = Pick<FunctionCall, "moduleName" | "parentName" | "name" | "parent" | "inputArgs">;

/**
 * The SDK's introspection wants a file of the core types among the module's sources, named
 * client.gen.ts. Dagger generates it from its API; its declarations are in the SDK package, of
 * which those remain that this engine has: another name is the module's own to use.
 */
async function clientTypes(call: Call): Promise<string> {
  const folder = join(call.session.engine.options.root, `sdk-${await sdkVersion()}`);
  const file = join(folder, "client.gen.ts");
  const declarations = await readFile(join(sdkFolder(), "dist/src/api/client.gen.d.ts"), "utf8");
  const known = new Set(call.session.coreTypes);
  // Comments are half of it, and each process would parse them.
  const kept = declarations
    .replace(/\/\*\*.*?\*\//gs, "")
    .replace(
      /^export declare class (\w+) extends BaseClient \{$.*?^\}$/gms,
      (whole, name: string) => (known.has(name.replace(/_$/, "")) ? whole : ""),
    );
  await mkdir(folder, { recursive: true });
  const temporary = `${file}.${process.pid}`;
  await writeFile(temporary, kept);
  await rename(temporary, file);
  return file;
}

const pools = new WeakMap<Session, Promise<Workers>>();

function workersOf(session: Session): Promise<Workers> {
  const known = pools.get(session);
  if (known) return known;
  const made = session.engine.scratchFolder().then((folder) => {
    const workers = new Workers(folder);
    session.onClose(() => {
      workers.close();
      return Promise.resolve();
    });
    return workers;
  });
  pools.set(session, made);
  return made;
}

async function runnable(call: Call, source: ModuleSourceValue): Promise<RunnableModule> {
  const { session, signal } = call;
  const { files, digest, name } = source;
  const [types, sdk, bundle] = await Promise.all([
    session.share("client.gen.ts", () => clientTypes(call), signal),
    session.share("sdk.cjs", () => compileSdk(), signal),
    session.share(`module.mjs ${digest}`, () => compileModule(source), signal),
  ]).catch((error: unknown) => {
    throw error instanceof EngineError
      ? new EngineError(`module ${name}: ${error.message}`)
      : error;
  });
  // Of the same sources, another SDK or other core types may make something else.
  const known = digestOf(await sdkVersion(), session.coreTypes).slice(0, 12);
  const kept = join(dirname(bundle), `types-${known}.json`);
  return { digest, name, files: [...files, types], sdk, bundle, types: kept };
}

/** Starts the module's process, so that it is ready when a function is called. */
export async function prepareProcess(call: Call, source: ModuleSourceValue): Promise<void> {
  const workers = await workersOf(call.session);
  workers.prepare(await runnable(call, source));
}

/**
 * Runs the SDK's entrypoint over the module's sources in another process. The process reaches the
 * session with a token that means this one call. Resolves with the JSON that the function returned.
 */
export async function runFunction(
  call: Call,
  source: ModuleSourceValue,
  invocation: Invocation,
  output: (stream: "stdout" | "stderr", chunk: Buffer) => void,
): Promise<string> {
  const { session, signal } = call;
  const token = randomBytes(16).toString("hex");
  const answer: { value?: string; error?: Error } = {};
  const forget = session.addClient({
    token,
    cwd: source.folder,
    call: {
      ...invocation,
      returned: (value) => (answer.value = value),
      failed: (error) => (answer.error = error),
    },
  });
  try {
    const workers = await workersOf(session);
    const registers = invocation.parentName === "";
    const message = { port: session.port, token, registers };
    const ended = await workers.call(await runnable(call, source), message, output, signal);
    signal.throwIfAborted();
    if (answer.error) throw answer.error;
    if (answer.value !== undefined) return answer.value;
    const { parentName, name } = invocation;
    const what = parentName === "" ? "its registration" : `${parentName}.${name || "constructor"}`;
    const tail = ended?.tail ? `:\n${ended.tail}` : "";
    throw new EngineError(
      `module ${source.name}: ${what} ended ${ended ? `with code ${ended.code} and ` : ""}without an answer${tail}`,
    );
  } finally {
    forget();
  }
}
