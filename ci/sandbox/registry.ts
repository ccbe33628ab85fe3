import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { cachePath, withLock } from "./cache.js";
import { endProcess, launch, untilUp, type DaemonOptions } from "./daemon.js";
import { SandboxError } from "./failure.js";
import { run } from "./run.js";
import { ensureTool } from "./tools.js";

const DEFAULT_PORT = 5417;

const PORT_HINT = "If the port is taken, set SLIPWAY_REGISTRY_PORT to a free one.";

/** Where a registry answers, as image references spell it: `127.0.0.1:PORT`, plain http. */
export interface Registry {
  address: string;
}

export interface RegistryStatus extends Registry {
  /** Process of the running registry; absent when it does not run. */
  pid?: number;
}

/** A registry that lives as long as whoever started it, with data that goes when it stops. */
export interface TemporaryRegistry extends Registry {
  stop: () => Promise<void>;
}

export interface Credentials {
  user: string;
  password: string;
}

/**
 * Address of the sandbox's registry: 127.0.0.1 and port 5417, or `$SLIPWAY_REGISTRY_PORT`.
 *
 * @throws SandboxError when the variable is not a port.
 */
export function registryAddress(): string {
  const given = process.env.SLIPWAY_REGISTRY_PORT;
  const port = given ? Number(given) : DEFAULT_PORT;
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new SandboxError(
      `SLIPWAY_REGISTRY_PORT is "${given ?? ""}", which is not a port.`,
      `Give a number from 1 to 65535, or unset it for ${DEFAULT_PORT}.`,
    );
  }
  return `127.0.0.1:${port}`;
}

/** Registries whose images the sandbox has stand-ins for. */
export const MIRRORED = ["docker.io", "ghcr.io", "registry.k8s.io"] as const;

/** The engine's mirror table for a registry that stands in for all that Slipway pulls from. */
export function mirrors(address: string): string {
  return MIRRORED.map((host) => `${host}=http://${address}`).join(",");
}

/** Whether the sandbox's registry runs, without changing anything. */
export async function registryStatus(): Promise<RegistryStatus> {
  const address = registryAddress();
  const pid = await ownProcess();
  return pid !== undefined && (await answers(address)) ? { address, pid } : { address };
}

/**
 * Starts the sandbox's registry unless it runs. It stays in the background, keeps its data in the
 * cache folder and serves the same images after a restart.
 */
export async function ensureRegistry(report?: (line: string) => void): Promise<Registry> {
  const status = await registryStatus();
  if (status.pid !== undefined) return { address: status.address };
  const program = await ensureTool("docker-registry", report);
  return await withLock("registry", async () => {
    const { address, pid } = await registryStatus();
    if (pid !== undefined) return { address };
    // Ours, but hung or on another port than the one asked for now.
    const stale = await ownProcess();
    if (stale !== undefined) await endProcess(stale);
    if (await answers(address)) {
      throw new SandboxError(`Something else answers on ${address}.`, PORT_HINT);
    }
    const folder = cachePath("registry");
    await mkdir(folder, { recursive: true });
    const config = join(folder, "config.json");
    await writeFile(config, configuration(folder, address, "warn"));
    const daemon: DaemonOptions = {
      command: [program, "serve", config],
      log: join(folder, "log"),
      outlive: true,
    };
    const started = await launch(daemon);
    await writeFile(join(folder, "pid"), `${started}\n`);
    await untilUp(started, daemon, PORT_HINT, async () => (await answers(address)) || undefined);
    return { address };
  });
}

/** Stops the sandbox's registry; its images stay. Gives false when it did not run. */
export async function stopRegistry(): Promise<boolean> {
  return await withLock("registry", async () => {
    const pid = await ownProcess();
    if (pid !== undefined) await endProcess(pid);
    await rm(cachePath("registry", "pid"), { force: true });
    return pid !== undefined;
  });
}

/**
 * Starts a registry of its own on a port that the system picks, for a test. It ends with this
 * process, whatever ends that.
 *
 * @param options.auth Asks for these with HTTP basic authentication. @default open to everybody
 * @param options.referrers Has the referrers API, another registry and open to everybody. @default false
 */
export async function startRegistry(
  options: { auth?: Credentials; referrers?: boolean } = {},
): Promise<TemporaryRegistry> {
  const program = await ensureTool(options.referrers ? "registry" : "docker-registry");
  const folder = await mkdtemp(join(tmpdir(), "slipway-registry-"));
  const config = join(folder, "config.json");
  const daemon: DaemonOptions = {
    command: options.referrers ? [program] : [program, "serve", config],
    log: join(folder, "log"),
    outlive: false,
  };
  const forget = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    if (options.auth) await writeFile(join(folder, "htpasswd"), await htpasswd(options.auth));
    const level = "info"; // It tells the port.
    await writeFile(
      config,
      configuration(folder, "127.0.0.1:0", level, options.auth !== undefined),
    );
    const pid = await launch(daemon);
    const address = await untilUp(pid, daemon, PORT_HINT, async () => {
      const log = await readFile(daemon.log, "utf8");
      const heard = /listening on (127\.0\.0\.1:\d+)/.exec(log)?.[1];
      return heard !== undefined && (await answers(heard)) ? heard : undefined;
    });
    const stop = async (): Promise<void> => {
      await endProcess(pid);
      await forget();
    };
    return { address, stop };
  } catch (error) {
    await forget();
    throw error;
  }
}

/** The registry's configuration; JSON is YAML too. */
function configuration(folder: string, address: string, level: string, auth = false): string {
  return JSON.stringify({
    version: 0.1,
    log: { level, accesslog: { disabled: true } },
    storage: {
      filesystem: { rootdirectory: join(folder, "data") },
      cache: { blobdescriptor: "inmemory" },
      delete: { enabled: true },
    },
    http: { addr: address, secret: randomBytes(16).toString("hex") },
    ...(auth && { auth: { htpasswd: { realm: "slipway", path: join(folder, "htpasswd") } } }),
  });
}

/** A line of an htpasswd file; bcrypt, the only kind the registry takes, comes from the C library. */
async function htpasswd({ user, password }: Credentials): Promise<string> {
  const salt = randomBytes(16).toString("hex").slice(0, 21) + "u";
  const hash = await run("perl", ["-e", 'print crypt($ENV{PASSWORD}, "\\$2y\\$05\\$$ENV{SALT}")'], {
    env: { ...process.env, PASSWORD: password, SALT: salt },
  });
  return `${user}:${hash}\n`;
}

async function answers(address: string): Promise<boolean> {
  try {
    const response = await fetch(`http://${address}/v2/`, { signal: AbortSignal.timeout(2_000) });
    await response.arrayBuffer();
    return response.status === 200 || response.status === 401;
  } catch {
    return false;
  }
}

/** The process in the pid file, if it still is our registry and not somebody who got its number. */
async function ownProcess(): Promise<number | undefined> {
  try {
    const pid = Number(await readFile(cachePath("registry", "pid"), "utf8"));
    const command = await readFile(`/proc/${pid}/cmdline`, "utf8");
    return command.split("\0").includes(cachePath("registry", "config.json")) ? pid : undefined;
  } catch {
    return undefined;
  }
}
