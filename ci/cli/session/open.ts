import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { EngineEvent } from "../../engine/events.js";
import { CliError, EXIT } from "../failure.js";
import { readEvents } from "./events.js";
import { startSession, type SessionProcess } from "./process.js";
import { ConnectionError, query, type Endpoint } from "./query.js";

export const ENGINES = ["auto", "dagger", "embedded"] as const;
export type EngineChoice = (typeof ENGINES)[number];

/** A session with an engine, whichever it is. */
export interface Session {
  readonly engine: "dagger" | "embedded";
  /** Where from: `session in the environment`, `dagger CLI`, `embedded`. */
  readonly origin: string;
  readonly endpoint: Endpoint;
  query<T>(document: string): Promise<T>;
  /** Ends the engine if this command started it. */
  close(): Promise<void>;
}

/** Where an engine would come from, without starting it. */
export type Source =
  | { readonly kind: "environment"; readonly endpoint: Endpoint }
  | { readonly kind: "dagger"; readonly command: string }
  | { readonly kind: "embedded" };

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Decides which engine to use. `auto` takes a session in the environment first, then the `dagger`
 * CLI, then the embedded engine.
 *
 * @throws CliError (3) when Dagger's is demanded and is not there.
 */
export async function chooseEngine(
  choice: EngineChoice,
  env: Environment = process.env,
): Promise<Source> {
  if (choice === "embedded") return { kind: "embedded" };
  const port = Number(env.DAGGER_SESSION_PORT);
  const token = env.DAGGER_SESSION_TOKEN;
  if (port > 0 && token) return { kind: "environment", endpoint: { port, token } };
  const command = await daggerCommand(env);
  if (command) return { kind: "dagger", command };
  if (choice === "auto") return { kind: "embedded" };
  throw new CliError(
    "Dagger's engine was asked for, but there is neither a session (DAGGER_SESSION_PORT and DAGGER_SESSION_TOKEN) nor a dagger command in the PATH. Install Dagger, or use --engine embedded.",
    EXIT.broken,
  );
}

/** The `dagger` CLI: what the SDK was told to use, or the one in the PATH. */
export async function daggerCommand(env: Environment): Promise<string | undefined> {
  const named = env._EXPERIMENTAL_DAGGER_CLI_BIN;
  const folders = (env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  for (const path of [
    ...(named ? [named] : []),
    ...folders.map((folder) => join(folder, "dagger")),
  ]) {
    if (
      await access(path, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return path;
  }
  return undefined;
}

/** How the embedded engine is started; also by `slipway engine`. */
export function embeddedCommand(entry: "main" | "admin", ...args: string[]): string[] {
  return [
    // Chains of thousands of steps recurse in the GraphQL library.
    "--stack-size=3900",
    "--no-warnings",
    fileURLToPath(new URL("../../engine/start.mjs", import.meta.url)),
    entry,
    ...args,
  ];
}

export interface OpenOptions {
  readonly engine: EngineChoice;
  /** Runs nothing, tells what would run; the embedded engine can. */
  readonly plan?: boolean;
  /** Folder of the module of which a function will have to run, whatever is cached. */
  readonly eager?: string | undefined;
  /** Told of every step; Dagger's engine tells of none. */
  readonly onStep?: ((event: EngineEvent) => void) | undefined;
  /** Stops what runs. */
  readonly signal: AbortSignal;
}

/** Opens a session, starting an engine if need be. */
export async function openSession(options: OpenOptions): Promise<Session> {
  const { engine, onStep, signal, plan, eager } = options;
  const source = await chooseEngine(engine);
  if (source.kind === "environment") {
    return session("dagger", "session in the environment", source.endpoint, signal);
  }
  if (source.kind === "dagger") {
    const wanted = { title: "dagger session", command: source.command, args: ["session"] };
    const child = await startSession({ ...wanted, env: process.env, withEvents: false }, signal);
    return session("dagger", `${source.command} session`, child.endpoint, signal, child);
  }
  const child = await startSession(
    {
      title: "the embedded engine",
      command: process.execPath,
      args: embeddedCommand("main"),
      env: {
        ...process.env,
        ...(onStep && { SLIPWAY_EVENTS_FD: "3" }),
        ...(plan && { SLIPWAY_PLAN: "1" }),
        ...(eager !== undefined && { SLIPWAY_EAGER: eager }),
      },
      withEvents: onStep !== undefined,
    },
    signal,
  );
  if (onStep && child.events) readEvents(child.events, onStep);
  return session("embedded", "embedded", child.endpoint, signal, child);
}

function session(
  engine: Session["engine"],
  origin: string,
  endpoint: Endpoint,
  signal: AbortSignal,
  child?: SessionProcess,
): Session {
  return {
    engine,
    origin,
    endpoint,
    async query(document) {
      try {
        return await query(endpoint, document, signal);
      } catch (error) {
        const said = child?.complaints();
        if (!(error instanceof ConnectionError) || !said) throw error;
        throw new ConnectionError(`${error.message}; the last it said:\n${said}`);
      }
    },
    async close() {
      await child?.close();
    },
  };
}
