import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { CliError, EXIT } from "../failure.js";
import { embeddedCommand } from "./open.js";

/** Asks the embedded engine, while it does not run, about its cache or its machine. */
export async function askEngine<T>(signal: AbortSignal, ...request: string[]): Promise<T> {
  const child = spawn(process.execPath, embeddedCommand("admin", ...request), {
    stdio: ["ignore", "pipe", "pipe"],
    signal,
  });
  const code = new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (exit) => {
      resolve(exit ?? EXIT.broken);
    });
  });
  const [answer, complaint, exit] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    code,
  ]).catch((error: unknown) => {
    signal.throwIfAborted();
    throw error;
  });
  if (exit !== 0)
    throw new CliError(complaint.trim() || `the engine ended with code ${exit}`, EXIT.broken);
  return JSON.parse(answer) as T;
}
