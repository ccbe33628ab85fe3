import { spawn, type ChildProcess } from "node:child_process";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

export const BIN = fileURLToPath(new URL("../../ci/cli/slipway.mjs", import.meta.url));

/** The fixture module whose functions need no image. */
export const PROBE = fileURLToPath(new URL("./fixtures/probe", import.meta.url));

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Options {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts the command in an environment that holds nothing of the caller's but PATH and HOME. */
export function start(args: readonly string[], { cwd, env = {} }: Options = {}): ChildProcess {
  return spawn(process.execPath, [BIN, ...args], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    ...(cwd !== undefined && { cwd }),
  });
}

export async function finished(child: ChildProcess): Promise<Finished> {
  const code = new Promise<number | null>((resolve) => child.once("close", resolve));
  if (!child.stdout || !child.stderr) throw new Error("its output is not piped");
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, stdout, stderr };
}

/** Runs the command to its end. */
export function slipway(args: readonly string[], options: Options = {}): Promise<Finished> {
  return finished(start(args, options));
}
