import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { cachePath, makeFolder, withLock } from "./cache.js";
import { endProcess, launch, untilUp, type DaemonOptions } from "./daemon.js";
import { SandboxError } from "./failure.js";
import { run } from "./run.js";

const VERSION = "3.17.2";

/** A version to register: what its run measured, and the files of its artifact. */
export interface NewVersion {
  readonly metrics?: Readonly<Record<string, number | "NaN" | "Infinity">>;
  readonly files?: Readonly<Record<string, string>>;
  readonly tags?: Readonly<Record<string, string>>;
}

/** An MLflow server with a database, which lives as long as whoever started it. */
export interface Mlflow {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** Asks its REST API and gives the answer; rejects with what it says otherwise. */
  readonly rest: <T>(method: string, path: string, body?: object) => Promise<T>;
  /** Registers a version of a model, and the model with its first one; gives number and run. */
  readonly register: (name: string, made: NewVersion) => Promise<{ version: string; run: string }>;
  readonly setAlias: (name: string, alias: string, version: string) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/**
 * Where MLflow's packages are, for PYTHONPATH; installs them there first (800 MB, minutes).
 *
 * @param report Gets one line when there is something to do, one when it is done.
 */
export async function ensureMlflow(
  report: (line: string) => void = () => undefined,
): Promise<string> {
  const folder = cachePath("tools", `mlflow@${VERSION}`);
  await withLock("tool-mlflow", async () => {
    if (existsSync(join(folder, "mlflow"))) return;
    report(`mlflow ${VERSION}: installing …`);
    await makeFolder(folder, async (draft) => {
      const flags = ["--quiet", "--disable-pip-version-check", "--root-user-action=ignore"];
      await run(
        "python3",
        ["-m", "pip", "install", ...flags, "--target", draft, `mlflow==${VERSION}`],
        { hint: "It needs pip (Debian: python3-pip) and a package index that pip reaches." },
      );
    });
    report(`mlflow ${VERSION}: ready`);
  });
  return folder;
}

/**
 * Starts an MLflow server on a port of its own; what it keeps goes when it stops.
 *
 * @param options.host Address to listen on. @default 127.0.0.1
 * @param options.allowed Host names besides its own that it answers to. @default MLflow's: private addresses
 */
export async function startMlflow(
  options: { host?: string; allowed?: string; report?: (line: string) => void } = {},
): Promise<Mlflow> {
  const packages = await ensureMlflow(options.report);
  const folder = await mkdtemp(join(tmpdir(), "slipway-mlflow-"));
  const { host = "127.0.0.1", allowed } = options;
  const port = await freePort(host);
  const url = `http://${host}:${port}`;
  const variables = {
    ...{ HOME: folder, PYTHONPATH: packages, PYTHONNOUSERSITE: "1" },
    // Jobs would double its start and its memory, and are not wanted here.
    ...{ MLFLOW_DISABLE_TELEMETRY: "true", MLFLOW_SERVER_ENABLE_JOB_EXECUTION: "false" },
  };
  const daemon: DaemonOptions = {
    command: [
      ...(["env", "-C", folder] as const),
      ...Object.entries(variables).map(([name, value]) => `${name}=${value}`),
      ...["python3", "-m", "mlflow", "server", "--workers", "1"],
      ...["--backend-store-uri", `sqlite:///${folder}/mlflow.db`],
      ...["--artifacts-destination", join(folder, "artifacts")],
      ...["--host", host, "--port", String(port)],
      ...(allowed === undefined ? [] : ["--allowed-hosts", allowed]),
    ],
    log: join(folder, "log"),
    outlive: false,
  };
  const forget = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const pid = await launch(daemon);
    // It loads for 15 s on a calm machine.
    await untilUp(pid, daemon, `See ${daemon.log}.`, async () => await isUp(url), 120_000);
    const stop = async (): Promise<void> => {
      await endProcess(pid);
      await forget();
    };
    return { ...mlflowClient(url), url, stop };
  } catch (error) {
    const log = await readFile(daemon.log, "utf8").catch(() => "");
    await forget();
    throw log.includes("No module named")
      ? new SandboxError("MLflow does not start.", `Remove ${packages} and try again.`, {
          cause: error,
        })
      : error;
  }
}

type Client = Pick<Mlflow, "rest" | "register" | "setAlias">;

/** Speaks to a server that runs at `url`. */
export function mlflowClient(url: string): Client {
  const rest = async <T>(method: string, path: string, body?: object): Promise<T> => {
    const response = await fetch(`${url}/api/2.0/mlflow/${path}`, {
      method,
      headers: { "content-type": "application/json" },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text) as T;
  };
  const register = async (name: string, made: NewVersion): ReturnType<Client["register"]> => {
    const { metrics = {}, files = { MLmodel: "flavors: {}\n" }, tags = {} } = made;
    const created = await rest<{ run: { info: { run_id: string; artifact_uri: string } } }>(
      "POST",
      "runs/create",
      { experiment_id: "0", start_time: Date.now() },
    );
    const { run_id, artifact_uri } = created.run.info;
    for (const [key, value] of Object.entries(metrics))
      await rest("POST", "runs/log-metric", { run_id, key, value, timestamp: Date.now() });
    const path = artifact_uri.replace("mlflow-artifacts:", "");
    for (const [file, text] of Object.entries(files)) {
      const target = `${url}/api/2.0/mlflow-artifacts/artifacts${path}/model/${file}`;
      const put = await fetch(target, { method: "PUT", body: text });
      if (!put.ok) throw new Error(`PUT ${target}: ${put.status} ${await put.text()}`);
    }
    await rest("POST", "registered-models/create", { name }).catch((error: unknown) => {
      if (!String(error).includes("RESOURCE_ALREADY_EXISTS")) throw error;
    });
    const added = await rest<{ model_version: { version: string } }>(
      "POST",
      "model-versions/create",
      {
        ...{ name, source: `${artifact_uri}/model`, run_id },
        tags: Object.entries(tags).map(([key, value]) => ({ key, value })),
      },
    );
    return { version: added.model_version.version, run: run_id };
  };
  const setAlias = async (name: string, alias: string, version: string): Promise<void> => {
    await rest("POST", "registered-models/alias", { name, alias, version });
  };
  return { rest, register, setAlias };
}

async function isUp(url: string): Promise<true | undefined> {
  const answer = await fetch(`${url}/health`).catch(() => undefined);
  return answer?.ok === true || undefined;
}

async function freePort(host: string): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
