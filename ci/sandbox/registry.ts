import { randomBytes } from "node:crypto";
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { cachePath, withLock } from "./cache.js";
import { SandboxError } from "./failure.js";
import { run } from "./run.js";
import { ensureTool } from "./tools.js";

const DEFAULT_PORT = 5417;

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
  const given = process.env["SLIPWAY_REGISTRY_PORT"];
  const port = given ? Number(given) : DEFAULT_PORT;
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new SandboxError(
      `SLIPWAY_REGISTRY_PORT is "${given ?? ""}", which is not a port.`,
      `Give a number from 1 to 65535, or unset it for ${DEFAULT_PORT}.`,
    );
  }
  return `127.0.0.1:${port}`;
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
    await endProcess(await ownProcess());
    if (await answers(address)) {
      throw new SandboxError(
        `Something else answers on ${address}.`,
        "Stop it, or set SLIPWAY_REGISTRY_PORT to a free port.",
      );
    }
    const folder = cachePath("registry");
    await mkdir(folder, { recursive: true });
    const config = join(folder, "config.json");
    await writeFile(config, configuration(folder, address, "warn"));
    const started = await launch([program, "serve", config], join(folder, "log"), true);
    await writeFile(join(folder, "pid"), `${started}\n`);
    await untilUp(started, join(folder, "log"), async () => await answers(address));
    return { address };
  });
}

/** Stops the sandbox's registry; its images stay. Gives false when it did not run. */
export async function stopRegistry(): Promise<boolean> {
  return await withLock("registry", async () => {
    const pid = await ownProcess();
    await endProcess(pid);
    await rm(cachePath("registry", "pid"), { force: true });
    return pid !== undefined;
  });
}

/**
 * Starts a registry of its own on a port that the system picks, for a test. It ends with this
 * process, whatever ends that.
 *
 * @param options.auth Asks for these with HTTP basic authentication. @default open to everybody
 */
export async function startRegistry(
  options: { auth?: Credentials } = {},
): Promise<TemporaryRegistry> {
  const program = await ensureTool("docker-registry");
  const folder = await mkdtemp(join(tmpdir(), "slipway-registry-"));
  const config = join(folder, "config.json");
  const log = join(folder, "log");
  if (options.auth) await writeFile(join(folder, "htpasswd"), await htpasswd(options.auth));
  await writeFile(config, configuration(folder, "127.0.0.1:0", "info", options.auth !== undefined));
  // setpriv: the kernel ends the registry when this process is gone.
  const pid = await launch(
    ["setpriv", "--pdeathsig", "TERM", program, "serve", config],
    log,
    false,
  );
  const stop = async (): Promise<void> => {
    await endProcess(pid);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const address = await untilUp(pid, log, async () => {
      const heard = /listening on (127\.0\.0\.1:\d+)/.exec(await readFile(log, "utf8"))?.[1];
      return heard !== undefined && (await answers(heard)) ? heard : undefined;
    });
    return { address, stop };
  } catch (error) {
    await stop();
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

async function launch(command: string[], log: string, background: boolean): Promise<number> {
  const [program = "", ...args] = command;
  const output = await open(log, "w");
  try {
    const child = spawn(program, args, {
      stdio: ["ignore", output.fd, output.fd],
      detached: background,
      // Tracing headers and the like of the caller are no business of the registry's.
      env: { PATH: process.env["PATH"] },
    });
    await new Promise((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", reject);
    });
    child.unref();
    return child.pid ?? 0;
  } finally {
    await output.close();
  }
}

/** Waits at most 10 s for `probe` to answer; says what the registry wrote if it ends before. */
async function untilUp<T>(
  pid: number,
  log: string,
  probe: () => Promise<T | undefined | false>,
): Promise<T> {
  for (let waited = 0; waited < 10_000 && alive(pid); waited += 20) {
    const answer = await probe();
    if (answer) return answer;
    await sleep(20);
  }
  const said = (await readFile(log, "utf8").catch(() => "")).trim().split("\n").slice(-3);
  await endProcess(pid);
  throw new SandboxError(
    `The registry does not come up. It said:\n    ${said.join("\n    ")}`,
    "If the port is taken, set SLIPWAY_REGISTRY_PORT to a free one.",
  );
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

async function endProcess(pid: number | undefined): Promise<void> {
  if (pid === undefined || !alive(pid)) return;
  process.kill(pid, "SIGTERM");
  for (let waited = 0; alive(pid); waited += 20) {
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
