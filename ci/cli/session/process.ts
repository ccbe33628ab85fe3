import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { CliError, EXIT } from "../failure.js";
import type { Endpoint } from "./query.js";

/** How long an engine may take to end by itself, in ms. */
const PATIENCE = 15_000;
/** How much of what it printed is quoted when it does not start. */
const TAIL = 4000;

/** A process that serves a session until its standard input ends. */
export interface SessionProcess {
  readonly endpoint: Endpoint;
  /** File descriptor 3, when asked for. */
  readonly events: Readable | undefined;
  /** The last of what it wrote to standard error. */
  complaints(): string;
  /** Ends it and all that it runs. Resolves when it is gone. */
  close(): Promise<void>;
}

export interface SessionCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Reads events from file descriptor 3. */
  readonly withEvents: boolean;
  /** What the person calls it. */
  readonly title: string;
}

/**
 * Starts an engine that prints `{"port":…,"session_token":…}` when it is ready. It gets a process
 * group of its own, so that Ctrl-C reaches the command alone, which then ends it in order; should
 * the command be killed, the pipe to its standard input breaks and it ends as well.
 *
 * @throws CliError (3) when it ends before it is ready, with what it printed; the signal's reason.
 */
export async function startSession(
  wanted: SessionCommand,
  signal: AbortSignal,
): Promise<SessionProcess> {
  const child = spawn(wanted.command, wanted.args, {
    env: wanted.env,
    detached: true,
    stdio: ["pipe", "pipe", "pipe", ...(wanted.withEvents ? (["pipe"] as const) : [])],
  }) as ChildProcessByStdio<Writable, Readable, Readable>;
  let tail = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    tail = (tail + chunk).slice(-TAIL);
  });
  // The engine may be gone when its input is ended.
  child.stdin.on("error", () => undefined);
  const gone = new Promise<void>((resolve) => {
    child.once("exit", () => {
      resolve();
    });
    child.once("error", () => {
      resolve();
    });
  });
  const close = async () => {
    child.stdin.end();
    const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE);
    await gone;
    clearTimeout(timer);
  };
  // Whoever is interrupted while it starts must not leave it behind.
  const stop = () => child.stdin.end();
  signal.addEventListener("abort", stop, { once: true });
  const endpoint = await firstLine(child, wanted.title, () => tail.trim()).catch(
    async (error: unknown) => {
      await close();
      signal.throwIfAborted();
      throw error;
    },
  );
  signal.removeEventListener("abort", stop);
  return {
    endpoint,
    events: (child.stdio.at(3) as Readable | null | undefined) ?? undefined,
    complaints: () => tail.trim(),
    close,
  };
}

async function firstLine(
  child: ChildProcessByStdio<Writable, Readable, Readable>,
  title: string,
  tail: () => string,
): Promise<Endpoint> {
  const lines = createInterface({ input: child.stdout });
  const line = once(lines, "line") as Promise<[string]>;
  const ended = new Promise<never>((_resolve, reject) => {
    child.once("error", (error) => {
      reject(new CliError(`${title} does not start: ${error.message}`, EXIT.broken));
    });
    child.once("close", (code, signal) => {
      const how =
        code === null ? `was ended by ${signal ?? "a signal"}` : `ended with code ${code}`;
      reject(new CliError(`${title} ${how} before it was ready:\n${tail()}`, EXIT.broken));
    });
  });
  ended.catch(() => undefined);
  const [text] = await Promise.race([line, ended]);
  // Whatever else it prints must not fill the pipe.
  lines.on("line", () => undefined);
  try {
    const { port, session_token: token } = JSON.parse(text) as {
      port: number;
      session_token: string;
    };
    return { port, token };
  } catch {
    child.kill();
    throw new CliError(
      `${title} answered ${JSON.stringify(text.slice(0, 200))} instead of where it listens`,
      EXIT.broken,
    );
  }
}
