import { existsSync } from "node:fs";
import { spawn, type ChildProcess, type StdioOptions } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";

import { codeOf, StoreError } from "./failure.js";

const PACKAGES: Record<string, string> = { getfattr: "attr", setfattr: "attr" };

interface RunOptions {
  input?: Iterable<string | Buffer> | AsyncIterable<string | Buffer> | Readable;
  cwd?: string;
  signal?: AbortSignal | undefined;
  /** Exit codes beside 0 that are no failure. */
  accept?: readonly number[];
}

/** Runs a program to its end and returns what it printed (bytes as latin1). Throws with its own words if it fails. */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const child = start(command, args, ["pipe", "pipe", "pipe"], options);
  const output: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => output.push(chunk));
  const ended = exit(child, command, options);
  await Promise.all([feed(child.stdin, options.input), ended]).catch(async (error: unknown) => {
    child.kill("SIGKILL");
    // The program's own words explain more than the pipe that it closed.
    await ended;
    throw error;
  });
  return Buffer.concat(output).toString("latin1");
}

/** Runs `source | sink`, the source reading `input`. */
export async function pipe(
  source: readonly [string, ...string[]],
  sink: readonly [string, ...string[]],
  options: RunOptions = {},
): Promise<void> {
  const first = start(source[0], source.slice(1), ["pipe", "pipe", "pipe"], options);
  const second = start(sink[0], sink.slice(1), [first.stdout, "ignore", "pipe"], options);
  // Ours is a third handle on the pipe: closed, so that a dead sink stops the source.
  first.stdout?.destroy();
  const ends = [exit(second, sink[0], {}), exit(first, source[0], options)];
  const fed = feed(first.stdin, options.input);
  const [failed] = (await Promise.allSettled([...ends, fed])).filter(
    (result) => result.status === "rejected",
  );
  if (failed) throw failed.reason;
}

function start(
  command: string,
  args: readonly string[],
  stdio: StdioOptions,
  { cwd, signal }: RunOptions,
): ChildProcess {
  // Byte order and untranslated messages, whatever the user's locale.
  const env = { ...process.env, LC_ALL: "C" };
  return spawn(command, args, {
    stdio,
    env,
    ...(cwd !== undefined && { cwd }),
    ...(signal && { signal, killSignal: "SIGKILL" }),
  });
}

async function feed(stdin: Writable | null, input: RunOptions["input"]): Promise<void> {
  if (!stdin) return;
  if (input === undefined) stdin.end();
  else await pipeline(input, stdin);
}

function exit(
  child: ChildProcess,
  command: string,
  { accept = [], cwd }: RunOptions,
): Promise<void> {
  let stderr = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    if (stderr.length < 4000) stderr += chunk.toString();
  });
  return new Promise((resolve, reject) => {
    child.once("error", (error) => {
      const absent = codeOf(error) === "ENOENT" && (cwd === undefined || existsSync(cwd));
      reject(absent ? missing(command) : error);
    });
    child.once("close", (code, signal) => {
      if (code === 0 || (code !== null && accept.includes(code))) resolve();
      else {
        const why = stderr.trim() || (signal ? `ended by ${signal}` : `exit code ${code ?? "?"}`);
        reject(new StoreError(`${command} failed: ${why}`));
      }
    });
  });
}

/** The error for a program that is not installed. */
export function missing(command: string): StoreError {
  const name = PACKAGES[command] ?? command;
  return new StoreError(
    `The program "${command}" is needed and is not on PATH. Install it (Debian: the package that has it is "${name}" or util-linux/coreutils).`,
    "ENOENT",
  );
}
