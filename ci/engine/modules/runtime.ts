import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { copyFile, mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Call } from "../api/call.js";
import type { FunctionCall } from "../client.js";
import { EngineError } from "../graph/errors.js";
import type { ModuleSourceValue } from "./module.js";

const require = createRequire(import.meta.url);
const BOOTSTRAP = fileURLToPath(new URL("./bootstrap.mjs", import.meta.url));
/** How much of what a function's process printed is quoted when it dies without an answer. */
const TAIL = 4096;

type Invocation = Pick<
  FunctionCall,
  "moduleName" | "parentName" | "name" | "parent" | "inputArgs"
>;

/** The SDK whose entrypoint runs modules, as installed beside this file. */
function sdkFolder(): string {
  return dirname(dirname(dirname(require.resolve("@dagger.io/dagger"))));
}

export async function sdkVersion(): Promise<string> {
  const text = await readFile(join(sdkFolder(), "package.json"), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

/**
 * The SDK's introspection wants a file of the core types among the module's sources, named
 * client.gen.ts. Dagger generates it; its declarations are in the SDK package.
 */
async function clientTypes(call: Call): Promise<string> {
  const folder = join(call.session.engine.options.root, `sdk-${await sdkVersion()}`);
  const file = join(folder, "client.gen.ts");
  await mkdir(folder, { recursive: true });
  await copyFile(join(sdkFolder(), "dist/src/api/client.gen.d.ts"), file);
  return file;
}

/**
 * Runs the SDK's entrypoint over the module's sources in a process of its own. The process reaches
 * the session with a token that means this one call, and has nothing else of the caller's
 * environment. Resolves with the JSON that the function returned.
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
      id: token,
      module: call.node,
      returned: (value) => (answer.value = value),
      failed: (error) => (answer.error = error),
    },
  });
  const files = [...source.files, await clientTypes(call)];
  const child = spawn(
    process.execPath,
    [
      "--no-warnings",
      "--import",
      pathToFileURL(require.resolve("tsx")).href,
      BOOTSTRAP,
      ...files,
    ],
    {
      cwd: source.folder,
      env: {
        PATH: process.env["PATH"],
        HOME: process.env["HOME"],
        DAGGER_SESSION_PORT: String(session.port),
        DAGGER_SESSION_TOKEN: token,
        DO_NOT_TRACK: "1",
        OTEL_SDK_DISABLED: "true",
      },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  const kill = () => child.kill("SIGKILL");
  signal.addEventListener("abort", kill, { once: true });
  let tail = "";
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].on("data", (chunk: Buffer) => {
      tail = (tail + chunk.toString("utf8")).slice(-TAIL);
      output(stream, chunk);
    });
  }
  try {
    const code = await new Promise<number | string>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (exitCode, exitSignal) => {
        resolve(exitCode ?? exitSignal ?? "unknown");
      });
    });
    signal.throwIfAborted();
    if (answer.error) throw answer.error;
    if (answer.value !== undefined) return answer.value;
    const what = invocation.parentName === "" ? "its registration" : `function ${invocation.parentName}.${invocation.name || "constructor"}`;
    throw new EngineError(
      `module ${source.name}: ${what} ended with code ${code} and without an answer${tail === "" ? "" : `:\n${tail.trim()}`}`,
    );
  } finally {
    signal.removeEventListener("abort", kill);
    forget();
  }
}
