import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { cachePath } from "../cache.js";
import { endProcess, launch, untilUp, type DaemonOptions } from "../daemon.js";
import { MIRRORED, registryAddress } from "../registry.js";
import { run } from "../run.js";
import { Cgroups } from "./cgroups.js";
import { CONNECT, linkOf, LINKS, preferredLink, type Link } from "./network.js";

const GUARDIAN = fileURLToPath(new URL("guardian.mjs", import.meta.url));
const SCRIPT = fileURLToPath(new URL("node.sh", import.meta.url));

/** How many links are tried: as many clusters may run at once. */
const LINKS_TRIED = 64;

const SWEPT_AFTER_MS = 3_600_000;

/** What the guardian is told. */
interface Plan {
  outlive: boolean;
  /** Script of the first process inside, and its environment. */
  script: string;
  env: Record<string, string>;
  /** Shell commands by which a process goes into the cluster's cgroups. */
  enter: string;
  /** The cgroups' folders, to be removed at the end. */
  cgroups: readonly string[];
  /** The first that is free is taken. */
  links: readonly Link[];
  /** Shell commands inside, with the node's address and the host's. */
  connect: string;
  /** Registries that others stand in for, `host:port` by name. */
  mirrors: Record<string, string>;
}

/** The namespaces of a cluster that runs. */
export interface Place {
  /** Folder with all that the cluster writes. */
  folder: string;
  /** Process on the host that holds it. */
  guardian: number;
  /** First process inside, by its number on the host. */
  init: number;
  link: Link;
  /** Where the cluster reaches the host's registries, `host:port`. */
  registries: string;
}

/** Where a cluster keeps its files; only its logs stay when it has ended. */
export function placeFolder(name: string): string {
  return cachePath("clusters", name);
}

/** The namespaces of the cluster of this name, if it runs. */
export async function findPlace(name: string): Promise<Place | undefined> {
  const folder = placeFolder(name);
  try {
    const place = JSON.parse(await readFile(join(folder, "place.json"), "utf8")) as Place;
    const command = await readFile(`/proc/${place.guardian}/cmdline`, "utf8");
    const ours = command.split("\0").includes(folder) && existsSync(`/proc/${place.init}`);
    return ours ? place : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Makes the namespaces of a new cluster.
 *
 * @param outlive Whether it outlives this process, or ends with it.
 */
export async function makePlace(name: string, outlive: boolean): Promise<Place> {
  const folder = placeFolder(name);
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, "log"), { recursive: true });
  await sweep();
  const cgroups = new Cgroups(`slipway-${name}`);
  await cgroups.create();
  const first = preferredLink(name);
  const plan: Plan = {
    outlive,
    script: SCRIPT,
    env: { MOUNT_CGROUPS: Cgroups.mount },
    enter: cgroups.enter,
    cgroups: cgroups.folders,
    links: Array.from({ length: LINKS_TRIED }, (_, index) => linkOf((first + index) % LINKS)),
    connect: CONNECT,
    mirrors: Object.fromEntries(MIRRORED.map((host) => [host, registryAddress()])),
  };
  const daemon: DaemonOptions = {
    command: [process.execPath, GUARDIAN, folder, JSON.stringify(plan)],
    log: join(folder, "log", "guardian"),
    outlive: true,
    held: !outlive,
  };
  const pid = await launch(daemon);
  const hint = "It needs root, iproute2, nftables and util-linux: ci/machine.sh installs them.";
  return await untilUp(pid, daemon, hint, () => findPlace(name));
}

/** Removes what clusters left that are dead for an hour: logs, and all data of those that were killed. */
async function sweep(): Promise<void> {
  for (const name of await readdir(cachePath("clusters"))) {
    const folder = placeFolder(name);
    const { mtimeMs } = await stat(folder);
    if (Date.now() - mtimeMs < SWEPT_AFTER_MS || (await findPlace(name)) !== undefined) continue;
    await clearPlace(name);
    await rm(folder, { recursive: true, force: true });
  }
}

/** Ends a cluster and waits until nothing of it is left but its logs. Gives whether it ran. */
export async function clearPlace(name: string): Promise<boolean> {
  const place = await findPlace(name);
  if (place !== undefined) await endProcess(place.guardian);
  await new Cgroups(`slipway-${name}`).remove();
  for (const part of ["conf", "lib", "kubeconfig", "place.json", "processes"]) {
    await rm(join(placeFolder(name), part), { recursive: true, force: true });
  }
  return place !== undefined;
}

const ENTER = ["--mount", "--pid", "--net", "--ipc", "--uts", "--cgroup"];

/** Runs a command inside to its end and gives its standard output. */
export async function runInside(place: Place, command: readonly string[]): Promise<string> {
  return await run("nsenter", ["--target", String(place.init), ...ENTER, ...command]);
}

/**
 * Starts a process inside, which ends with the cluster.
 *
 * @param log File that what it prints is added to.
 * @param path What to put in front of its PATH.
 * @returns Its number inside.
 */
export async function startInside(
  place: Place,
  command: readonly string[],
  log: string,
  path: string,
): Promise<number> {
  // Its parent is gone at once, so that it is a child of the first process inside.
  const script = `${Cgroups.enterInside}
setsid "$@" >>"$0" 2>&1 </dev/null & echo $!`;
  const env = ["env", "-i", `PATH=${path}:/usr/sbin:/usr/bin:/sbin:/bin`, "HOME=/root"];
  return Number(await runInside(place, [...env, "sh", "-c", script, log, ...command]));
}

/** Sends a signal to a process inside; gives false when it is not there. Signal 0 only asks. */
export async function signalInside(place: Place, pid: number, signal: string): Promise<boolean> {
  const command = ["sh", "-c", 'kill -s "$0" "$1"', signal, String(pid)];
  return await runInside(place, command).then(
    () => true,
    () => false,
  );
}
