import { spawn } from "node:child_process";
import { open, readFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

import { SandboxError } from "./failure.js";

/** A server process of the sandbox. */
export interface DaemonOptions {
  /** Program and arguments. */
  command: [string, ...string[]];
  /** File that gets what it prints; made anew. */
  log: string;
  /** Whether it outlives this process, or the kernel ends it together with this one. */
  outlive: boolean;
  /** Gives it a standard input that ends with this process. @default false */
  held?: boolean;
  /** Environment besides PATH. @default nothing */
  env?: Record<string, string>;
}

/** Starts a server process and gives its id. It sees PATH of the environment, and what it is given. */
export async function launch(options: DaemonOptions): Promise<number> {
  const { command, log, outlive, held = false, env = {} } = options;
  const [program, ...args] = outlive
    ? command
    : (["setpriv", "--pdeathsig", "TERM", ...command] as const);
  const output = await open(log, "w");
  try {
    const child = spawn(program, args, {
      stdio: [held ? "pipe" : "ignore", output.fd, output.fd],
      detached: outlive,
      env: { PATH: process.env.PATH, ...env },
    });
    await new Promise((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", reject);
    });
    child.unref();
    (child.stdin as Socket | null)?.unref();
    return child.pid ?? 0;
  } finally {
    await output.close();
  }
}

/**
 * Waits until `probe` has an answer.
 *
 * @param limit Milliseconds at most. @default 30,000
 * @throws SandboxError with the last lines of the log when the process ends before, or never answers;
 *   it does not run any more then.
 */
export async function untilUp<T>(
  pid: number,
  { command, log }: DaemonOptions,
  hint: string,
  probe: () => Promise<T | undefined>,
  limit = 30_000,
): Promise<T> {
  const end = Date.now() + limit;
  while (Date.now() < end && alive(pid)) {
    const answer = await probe();
    if (answer !== undefined) return answer;
    await sleep(20);
  }
  await endProcess(pid);
  const said = await lastLines(log, 3);
  throw new SandboxError(`${command[0]} does not come up:\n    ${said.join("\n    ")}`, hint);
}

/** What a log ends with; empty when there is none. */
export async function lastLines(log: string, count: number): Promise<string[]> {
  const text = await readFile(log, "utf8").catch(() => "");
  return text.trim().split("\n").slice(-count);
}

/** Ends a process, with force after 5 s, and waits until it is gone. */
export async function endProcess(pid: number): Promise<void> {
  for (let waited = 0; alive(pid); waited += 20) {
    if (waited === 0) process.kill(pid, "SIGTERM");
    if (waited === 5_000) process.kill(pid, "SIGKILL");
    await sleep(20);
  }
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
