import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";

import { query as ask } from "../../../ci/cli/session/query.js";
import { cachePath } from "../../../ci/sandbox/cache.js";
import { mirrors, registryAddress } from "../../../ci/sandbox/registry.js";

/** The repository, which is the module too. */
export const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

/** One step that the engine tells of. */
interface Step {
  readonly event: "started" | "output" | "ended";
  readonly name?: string;
  readonly state?: "done" | "cached" | "failed" | "cancelled";
  readonly text?: string;
}

export interface SessionOptions {
  /** Folder of the engine's cache. @default `e2e` in Slipway's cache folder, which stays */
  readonly cache?: string;
  /** Registry that stands in for Docker Hub, `host:port`. @default the sandbox's */
  readonly mirror?: string;
  /** Bytes of a disk of its own that the cache lies on; it goes with the engine. @default none */
  readonly disk?: number;
  readonly env?: NodeJS.ProcessEnv;
}

/** An embedded engine with a session, spoken to as any client does. */
export interface Session {
  /** Environment with which a program finds this session. */
  readonly env: NodeJS.ProcessEnv;
  /** Process of the engine. */
  readonly pid: number;
  /** Answers a document; rejects with the command line's QueryError when the answer is an error. */
  query: <T>(document: string, signal?: AbortSignal) => Promise<T>;
  /** ID of a folder of this machine as it is now. */
  directory: (path: string) => Promise<string>;
  /** Makes a module's functions part of the schema. @default the repository's own module */
  serve: (path?: string) => Promise<void>;
  /** Names of the commands that ran and ended since the last call; cached ones are not among them. */
  ran: () => string[];
  /** Everything the engine and its steps printed so far. */
  printed: () => string;
  close: () => Promise<void>;
}

/** Starts an engine; it ends with `close`, or with this process. */
export async function openSession(options: SessionOptions = {}): Promise<Session> {
  const mirror = options.mirror ?? registryAddress();
  const cache = options.cache ?? cachePath("e2e");
  // Chains of thousands of steps recurse in the GraphQL library.
  const node = ["--stack-size=3900", "--no-warnings", "ci/engine/start.mjs", "main"];
  const mount = `mount -t tmpfs -o size=${options.disk ?? 0} none "$0" && exec "$@"`;
  const [command, args] = options.disk
    ? ["unshare", ["--mount", "sh", "-c", mount, cache, process.execPath, ...node]]
    : [process.execPath, node];
  const child = spawn(command, args, {
    cwd: ROOT,
    stdio: ["pipe", "pipe", "pipe", "pipe"],
    env: {
      ...process.env,
      SLIPWAY_CACHE: cache,
      SLIPWAY_MIRRORS: mirrors(mirror),
      SLIPWAY_EVENTS_FD: "3",
      ...options.env,
    },
  });
  let printed = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (printed += text));
  let ended: string[] = [];
  createInterface({ input: child.stdio[3] as Readable }).on("line", (line) => {
    const step = JSON.parse(line) as Step;
    if (step.text !== undefined) printed += step.text;
    if (step.event === "ended" && step.state !== "cached" && step.name !== undefined) {
      ended.push(step.name);
    }
  });
  const lines = createInterface({ input: child.stdout });
  const [first] = (await Promise.race([
    once(lines, "line"),
    once(child, "close").then(() => {
      throw new Error(`The engine ended before it was ready:\n${printed}`);
    }),
  ])) as [string];
  const { port, session_token } = JSON.parse(first) as { port: number; session_token: string };
  const query = <T>(document: string, signal?: AbortSignal): Promise<T> =>
    ask<T>({ port, token: session_token }, document, signal);
  return {
    env: { ...process.env, DAGGER_SESSION_PORT: `${port}`, DAGGER_SESSION_TOKEN: session_token },
    pid: child.pid ?? 0,
    query,
    directory: async (path) => {
      const answer = await query<{ host: { directory: { id: string } } }>(
        // A session has one answer for one question: the pattern, which excludes nothing, is new.
        `{ host { directory(path: ${JSON.stringify(path)}, exclude: ["${randomUUID()}"]) { id } } }`,
      );
      return answer.host.directory.id;
    },
    serve: async (path = ROOT) => {
      await query(`{ moduleSource(refString: ${JSON.stringify(path)}) { asModule { serve } } }`);
    },
    ran: () => {
      const names = ended;
      ended = [];
      return names;
    },
    printed: () => printed,
    close: async () => {
      const closed = child.exitCode === null ? once(child, "close") : Promise.resolve();
      child.stdin.end();
      await closed;
    },
  };
}
