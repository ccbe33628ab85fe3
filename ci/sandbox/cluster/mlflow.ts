import { join } from "node:path";

import { ensureMlflow, mlflowClient } from "../mlflow.js";
import type { Component, Setting } from "./components.js";
import { PORTS } from "./network.js";

/** Name of the model that the registry has from the start. */
export const MODEL = "iris-random-forest";

/** Its versions: 1 serves production, 2 is better and waits as the challenger. */
const VERSIONS = [
  {
    alias: "production",
    metrics: { accuracy: 0.9533, f1_macro: 0.9532, log_loss: 0.1604 },
    digest: "3b1f8c0e5d7a92646f1ce0a4b2d98371c5e6f0a79b8d2c413e5f60718293a4b5",
  },
  {
    alias: "challenger",
    metrics: { accuracy: 0.9667, f1_macro: 0.9666, log_loss: 0.1382 },
    digest: "9c2e7d415b8f03a6e1d4c7b0928f5a3667e8d9c0b1a2f3e4d5c6b7a8091827f6",
  },
];

/** MLflow's server with a database, in the cluster's folder. */
export async function mlflow(
  { link }: Setting,
  report: (line: string) => void,
): Promise<Component> {
  const data = "/var/lib/mlflow";
  const variables = {
    PYTHONPATH: await ensureMlflow(report),
    PYTHONNOUSERSITE: "1",
    MLFLOW_DISABLE_TELEMETRY: "true",
    // They would double its start and its memory.
    MLFLOW_SERVER_ENABLE_JOB_EXECUTION: "false",
  };
  const server = [
    ...["python3", "-m", "mlflow", "server", "--workers", "1"],
    ...["--backend-store-uri", `sqlite:///${join(data, "mlflow.db")}`],
    ...["--artifacts-destination", join(data, "artifacts")],
    ...["--host", link.node, "--port", String(PORTS.mlflow)],
    // It refuses names that it was not told; link.node is no private address to it.
    ...["--allowed-hosts", `${link.node}:${PORTS.mlflow}`],
  ];
  return {
    command: [
      "env",
      ...Object.entries(variables).map(([name, value]) => `${name}=${value}`),
      ...["sh", "-c", `mkdir -p ${data} && cd ${data} && exec "$@"`, "sh", ...server],
    ],
  };
}

/** Registers the model in two versions, each with its run, artifact, tags and alias, unless it is there. */
export async function registerModel(url: string): Promise<void> {
  const { rest, register, setAlias } = mlflowClient(url);
  const known = await rest("GET", `registered-models/get?name=${MODEL}`).then(
    () => true,
    () => false,
  );
  if (known) return;
  for (const { alias, metrics, digest } of VERSIONS) {
    const tags = { "slipway.digest": `sha256:${digest}`, framework: "scikit-learn" };
    const { version } = await register(MODEL, { metrics, tags });
    await setAlias(MODEL, alias, version);
  }
}
