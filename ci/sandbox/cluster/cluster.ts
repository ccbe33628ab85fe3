import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { withLock } from "../cache.js";
import { SandboxError } from "../failure.js";
import { ensureImages } from "../images/ensure.js";
import { PAUSE } from "../images/table.js";
import { ensureRegistry } from "../registry.js";
import { boot, startMlflow, startPrometheus } from "./boot.js";
import type { Setting } from "./components.js";
import { Credentials } from "./credentials.js";
import { PORTS } from "./network.js";
import { clearPlace, findPlace, makePlace, type Place } from "./place.js";
import { Processes } from "./processes.js";
import { ensurePrograms, type Programs } from "./programs.js";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

/** What a cluster is to have, and be called. */
export interface ClusterOptions {
  /** Tells clusters of this machine apart; letters, digits and dashes. @default one a working copy */
  name?: string;
  /** Starts Prometheus too. @default false */
  prometheus?: boolean;
  /** Starts MLflow too, with the iris model in two versions. @default false */
  mlflow?: boolean;
  /** Gets a line for what takes time. @default nobody */
  report?: (line: string) => void;
}

/** A cluster of one node that runs. */
export interface Cluster {
  readonly name: string;
  /** The node's address; the host and containers of the embedded engine reach it. */
  readonly address: string;
  /** Path of the administrator's kubeconfig; it holds certificates, not paths. */
  readonly kubeconfig: string;
  /** Where HTTPRoutes are served, `http://ADDRESS:PORT`. */
  readonly gateway: string;
  /** Prometheus' address, when it was asked for. */
  readonly prometheus?: string;
  /** MLflow's address, when it was asked for. */
  readonly mlflow?: string;
  /** Its components, to be ended and frozen. */
  readonly processes: Processes;
  readonly credentials: Credentials;
  /**
   * Runs kubectl as the administrator and gives its standard output.
   *
   * @param input Standard input, e.g. objects for `apply -f -`; what is not text is written as JSON.
   * @throws Error with kubectl's own words when it fails.
   */
  readonly kubectl: (args: readonly string[], input?: string | object) => Promise<string>;
  /** Ends it; nothing stays but its logs. */
  readonly stop: () => Promise<void>;
}

/** Name of the cluster of this working copy. */
export function defaultName(): string {
  return `cluster-${createHash("sha256").update(ROOT).digest("hex").slice(0, 6)}`;
}

/**
 * Starts a cluster that ends with this process, whatever ends that.
 *
 * @throws SandboxError when one of this name runs, or when a component does not start.
 */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const name = options.name ?? `${defaultName()}-${process.pid}`;
  return await start({ ...options, name }, false);
}

/** Starts a cluster that stays when this process ends, or finds the one of this name. */
export async function ensureCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const name = options.name ?? defaultName();
  return await start({ ...options, name }, true);
}

/** Ends a cluster. Gives false when it did not run. */
export async function stopCluster(name = defaultName()): Promise<boolean> {
  return await withLock(`cluster-${name}`, () => clearPlace(name));
}

async function start(
  options: ClusterOptions & { name: string },
  outlive: boolean,
): Promise<Cluster> {
  const { name, report = () => undefined } = options;
  if (!/^[a-z0-9][a-z0-9-]*$/.test(name)) {
    throw new SandboxError(`A cluster cannot be called "${name}".`, "Use letters, digits, dashes.");
  }
  if (process.getuid?.() !== 0) {
    throw new SandboxError("A cluster needs root, for its namespaces.", "Run it with sudo.");
  }
  const programs = await ensurePrograms(report);
  const { address } = await ensureRegistry(report);
  await ensureImages([PAUSE], { address, say: report });
  return await withLock(`cluster-${name}`, async () => {
    const running = await findPlace(name);
    if (running !== undefined && !outlive) {
      throw new SandboxError(`The cluster ${name} runs already.`, "Stop it, or name another.");
    }
    try {
      const place = running ?? (await newPlace(name, outlive));
      const setting = settingOf(place, programs);
      const processes = new Processes(place, programs.containerd);
      await Promise.all([
        running === undefined && boot(setting, processes),
        options.prometheus && startPrometheus(setting, processes, report),
        options.mlflow && startMlflow(setting, processes, report),
      ]);
      return clusterAt(place, programs, options);
    } catch (error) {
      if (running === undefined) await clearPlace(name);
      throw error;
    }
  });
}

async function newPlace(name: string, outlive: boolean): Promise<Place> {
  await clearPlace(name);
  const place = await makePlace(name, outlive);
  const credentials = credentialsOf(place);
  await credentials.make();
  await writeFile(kubeconfigOf(place), await credentials.kubeconfig({ client: "admin" }), {
    mode: 0o600,
  });
  return place;
}

function kubeconfigOf({ folder }: Place): string {
  return join(folder, "kubeconfig");
}

function credentialsOf({ folder, link }: Place): Credentials {
  return new Credentials(join(folder, "conf", "pki"), link.node);
}

function settingOf(place: Place, programs: Programs): Setting {
  return {
    link: place.link,
    conf: join(place.folder, "conf"),
    kubeconfig: kubeconfigOf(place),
    credentials: credentialsOf(place),
    programs,
    registries: place.registries,
  };
}

function clusterAt(
  place: Place,
  programs: Programs,
  options: ClusterOptions & { name: string },
): Cluster {
  const { name, prometheus, mlflow } = options;
  const { node } = place.link;
  const kubeconfig = kubeconfigOf(place);
  return {
    name,
    address: node,
    kubeconfig,
    gateway: `http://${node}:${PORTS.gateway}`,
    ...(prometheus && { prometheus: `http://${node}:${PORTS.prometheus}` }),
    ...(mlflow && { mlflow: `http://${node}:${PORTS.mlflow}` }),
    processes: new Processes(place, programs.containerd),
    credentials: credentialsOf(place),
    kubectl: (args, input) =>
      kubectl(programs.kubectl, ["--kubeconfig", kubeconfig, ...args], input),
    stop: async () => {
      await stopCluster(name);
    },
  };
}

async function kubectl(
  program: string,
  args: readonly string[],
  input: string | object = "",
): Promise<string> {
  const child = spawn(program, args, { stdio: "pipe" });
  const said = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].setEncoding("utf8").on("data", (text: string) => (said[stream] += text));
  }
  // It may end without reading all of it.
  child.stdin.on("error", () => undefined);
  child.stdin.end(typeof input === "string" ? input : JSON.stringify(input));
  const code = await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code === 0) return said.stdout;
  throw new Error(`kubectl ${args.slice(2).join(" ")}: ${said.stderr}${said.stdout}`);
}
