import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";

import { SandboxError } from "./failure.js";

/** How a command is run. */
export interface RunOptions {
  /** Working folder. @default this process's own */
  cwd?: string;
  /** The whole environment. @default this process's own */
  env?: NodeJS.ProcessEnv;
  /** What to do when it fails. @default names where its last lines are */
  hint?: string;
}

/** A running command whose standard output is read as a stream. */
export interface Running {
  stdout: Readable;
  /** Resolves when it ended well; rejects with its last lines of standard error otherwise. */
  done: Promise<void>;
}

type Closed = [code: number | null, signal: NodeJS.Signals | null];

/** Starts a command; its standard output is the caller's to read. */
export function start(command: string, args: string[], options: RunOptions = {}): Running {
  const child: ChildProcessByStdio<null, Readable, Readable> = spawn(command, args, {
    stdio: ["ignore", "pipe", "pipe"],
    cwd: options.cwd,
    env: options.env ?? process.env,
  });
  let tail = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    tail = (tail + text).slice(-8_000);
  });
  const done = (once(child, "close") as Promise<Closed>).then(
    ([code, signal]) => {
      if (code === 0) return;
      const how = signal ? `was ended by ${signal}` : `exited with ${code ?? "nothing"}`;
      throw new SandboxError(
        `${command} ${args.slice(0, 2).join(" ")} … ${how}:\n${lastLines(tail)}`,
        options.hint ?? `Run it by hand to see all of its output: ${shown(command, args)}`,
      );
    },
    (cause: unknown) => {
      throw new SandboxError(
        `${command} cannot be started.`,
        options.hint ?? "Is it installed and on the PATH?",
        {
          cause,
        },
      );
    },
  );
  // The caller may still be reading stdout when the command fails; it awaits `done` afterwards.
  done.catch(() => undefined);
  return { stdout: child.stdout, done };
}

/** Runs a command to its end and gives its standard output. */
export async function run(
  command: string,
  args: string[],
  options: RunOptions = {},
): Promise<string> {
  const running = start(command, args, options);
  let out = "";
  running.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  await running.done;
  return out;
}

function lastLines(text: string): string {
  const lines = text.split(/[\r\n]+/).filter((line) => line.trim() !== "");
  return lines
    .slice(-12)
    .map((line) => `    ${line}`)
    .join("\n");
}

function shown(command: string, args: string[]): string {
  return [command, ...args]
    .map((word) => (/[^\w@%+=:,./-]/.test(word) ? `'${word}'` : word))
    .join(" ");
}
