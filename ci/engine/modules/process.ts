import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";

const BOOTSTRAP = fileURLToPath(new URL("./bootstrap.mjs", import.meta.url));

/** The process that was started ahead of anybody's need, and its module's folder. */
let early: { readonly folder: string; readonly process: ChildProcess } | undefined;

/**
 * Starts the process of a module in this folder: it loads the SDK while the engine itself starts.
 * `takeProcess` gives it away; it ends with this process in any case.
 */
export function startEarly(folder: string): void {
  early = { folder, process: start(folder) };
  // A folder that holds no module is told when the module is loaded.
  early.process.on("error", () => undefined);
}

/** A process for the module in this folder, which waits for what it has to load. */
export function takeProcess(folder: string): ChildProcess {
  const taken = early?.folder === folder && early.process.connected ? early.process : undefined;
  if (taken) early = undefined;
  return taken ?? start(folder);
}

/** Ends the process that nobody took. */
export function endEarly(): void {
  early?.process.kill("SIGKILL");
  early = undefined;
}

/** It has nothing of the caller's environment but PATH and HOME, as in Dagger. */
function start(folder: string): ChildProcess {
  return fork(BOOTSTRAP, [folder], {
    execArgv: ["--no-warnings"],
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      DO_NOT_TRACK: "1",
      OTEL_SDK_DISABLED: "true",
    },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
}
