import { fileURLToPath } from "node:url";

import { daggerCommand, openSession } from "../../ci/cli/session/open.js";
import { cachePath } from "../../ci/sandbox/cache.js";
import { ensureRegistry, mirrors } from "../../ci/sandbox/registry.js";

/** The repository, which is the module too. */
export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export type EngineName = "embedded" | "dagger";

/** An engine with Slipway's functions in its schema, and what a caller needs beside it. */
export interface Engine {
  readonly name: EngineName;
  query: <T>(document: string) => Promise<T>;
  /** ID of a folder of the repository. */
  directory: (path: string) => Promise<string>;
  /** ID of the folder of the sandbox's advisories. */
  readonly advisories: string;
  /** Commands that call a function of the module, and the environment for them. */
  readonly commands: readonly { words: readonly string[]; env: NodeJS.ProcessEnv }[];
  close: () => Promise<void>;
}

/**
 * The engine that ENGINE names; embedded by default.
 *
 * @throws when it is neither name, and CliError when Dagger's engine is not there, with what it needs.
 */
export async function openEngine(name = process.env.ENGINE ?? "embedded"): Promise<Engine> {
  if (name !== "embedded" && name !== "dagger") {
    throw new Error(`ENGINE is embedded or dagger, not ${name}.`);
  }
  if (name === "embedded" && process.env.SLIPWAY_MIRRORS === undefined) {
    const { address } = await ensureRegistry();
    process.env.SLIPWAY_MIRRORS = mirrors(address);
    process.env.SLIPWAY_CACHE ??= cachePath("e2e");
  }
  const dagger = name === "dagger" ? await daggerCommand(process.env) : undefined;
  if (name === "dagger" && dagger === undefined) {
    throw new Error(
      "ENGINE=dagger needs the dagger command in the PATH (and what it needs: Docker, Podman, or _EXPERIMENTAL_DAGGER_RUNNER_HOST).",
    );
  }
  const session = await openSession({ engine: name, signal: new AbortController().signal });
  const { endpoint } = session;
  const query = <T>(document: string): Promise<T> => session.query<T>(document);
  await query(`{ moduleSource(refString: ${JSON.stringify(ROOT)}) { asModule { serve } } }`);
  const slipway = [process.execPath, `${ROOT}ci/cli/slipway.mjs`, "call", "--engine", name];
  const here = { DAGGER_SESSION_PORT: String(endpoint.port), DAGGER_SESSION_TOKEN: endpoint.token };
  const directory = async (path: string): Promise<string> => {
    const answer = await query<{ host: { directory: { id: string } } }>(
      `{ host { directory(path: ${JSON.stringify(ROOT + path)}) { id } } }`,
    );
    return answer.host.directory.id;
  };
  return {
    name,
    query,
    directory,
    advisories: await directory("ci/sandbox/advisories"),
    commands: [
      { words: slipway, env: name === "embedded" ? process.env : { ...process.env, ...here } },
      // With a session of its own, as a person calls it.
      ...(dagger === undefined
        ? []
        : [{ words: [dagger, "call", "--mod", ROOT], env: process.env }]),
    ],
    close: async () => {
      await session.close();
    },
  };
}
