import { homedir } from "node:os";
import { join, resolve } from "node:path";

/** How an engine is set up. */
export interface EngineOptions {
  /** Where layers, blobs and memos are kept. */
  readonly root: string;
  /** Registry host → base URL that stands in for it. */
  readonly mirrors: Readonly<Record<string, string>>;
  /** What the store may hold, in bytes, before the least recently used goes. */
  readonly budgetBytes?: number;
  /** Only plans: commands, services and publications are named, and none is run. */
  readonly plan?: boolean;
  /** The module whose process starts when it is loaded, ahead of a call that no cache answers. */
  readonly eager?: string;
  /** Commands that run at a time; default: as many as there are cores. */
  readonly parallel?: number;
}

/** `$SLIPWAY_CACHE`, or `slipway` in the user's cache folder. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  const set = (name: string): string | undefined => (env[name] === "" ? undefined : env[name]);
  const caches = set("XDG_CACHE_HOME") ?? join(homedir(), ".cache");
  // Commands start in other folders than this process.
  return resolve(set("SLIPWAY_CACHE") ?? join(caches, "slipway"));
}

/** Options from the environment: SLIPWAY_CACHE, SLIPWAY_MIRRORS (`host=url,…`), SLIPWAY_CACHE_BUDGET (bytes), SLIPWAY_PLAN, SLIPWAY_EAGER (a folder). */
export function engineOptions(env: NodeJS.ProcessEnv = process.env): EngineOptions {
  const mirrors = (env.SLIPWAY_MIRRORS ?? "").split(",").filter((entry) => entry !== "");
  const budget = env.SLIPWAY_CACHE_BUDGET;
  return {
    root: join(cacheFolder(env), "engine"),
    mirrors: Object.fromEntries(
      mirrors.map((entry) => {
        const at = entry.indexOf("=");
        return [entry.slice(0, at), entry.slice(at + 1)];
      }),
    ),
    ...(budget && { budgetBytes: Number(budget) }),
    ...(env.SLIPWAY_PLAN && { plan: true }),
    ...(env.SLIPWAY_EAGER && { eager: env.SLIPWAY_EAGER }),
  };
}
