import { fork, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const BOOTSTRAP = fileURLToPath(new URL("./bootstrap.mjs", import.meta.url));

/** The process that was started ahead of anybody's need. */
let early: ChildProcess | undefined;

/**
 * Starts a process for a module: it loads the SDK while the engine itself starts. `takeProcess` gives
 * it away; it ends with this process in any case. Without the SDK in one file, which the first module
 * makes, there is nothing to start.
 */
export function startEarly(sdk: string): void {
  if (!existsSync(sdk)) return;
  early = start(sdk);
  early.on("error", () => undefined);
}

/** A process for a module, which waits to be told of it. */
export function takeProcess(sdk: string): ChildProcess {
  const taken = early?.connected ? early : undefined;
  early = undefined;
  return taken ?? start(sdk);
}

/** Ends the process that nobody took. */
export function endEarly(): void {
  early?.kill("SIGKILL");
  early = undefined;
}

/** It has nothing of the caller's environment but PATH and HOME, as in Dagger. */
function start(sdk: string): ChildProcess {
  return fork(BOOTSTRAP, [sdk], {
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
