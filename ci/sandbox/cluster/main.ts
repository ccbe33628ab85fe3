/**
 * `make cluster`: starts this working copy's Kubernetes cluster, or tells where it is.
 *
 *     tsx ci/sandbox/cluster/main.ts [--name NAME] [--prometheus] [--mlflow] [--stop] [--programs]
 *
 * With --programs, builds what it needs and starts nothing.
 */
import { parseArgs } from "node:util";

import { asText } from "../images/ensure.js";
import { ensureMlflow } from "../mlflow.js";
import { seconds } from "../toolchain.js";
import { ensureTool } from "../tools.js";
import { defaultName, ensureCluster, stopCluster } from "./cluster.js";
import { ensurePrograms } from "./programs.js";

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      name: { type: "string", default: defaultName() },
      prometheus: { type: "boolean", default: false },
      mlflow: { type: "boolean", default: false },
      stop: { type: "boolean", default: false },
      programs: { type: "boolean", default: false },
    },
  });
  const { name, prometheus, mlflow, stop } = values;
  if (stop) {
    console.log((await stopCluster(name)) ? `${name} is stopped.` : `${name} did not run.`);
    return;
  }
  if (values.programs) {
    await ensurePrograms(console.log);
    await ensureTool("prometheus", console.log);
    await ensureMlflow(console.log);
    return;
  }
  const began = Date.now();
  const cluster = await ensureCluster({ name, prometheus, mlflow, report: console.log });
  console.log(`${name} is ready after ${seconds(began)}.`);
  console.log(`  kubeconfig  ${cluster.kubeconfig}`);
  console.log(`  gateway     ${cluster.gateway}`);
  if (cluster.prometheus !== undefined) console.log(`  Prometheus  ${cluster.prometheus}`);
  if (cluster.mlflow !== undefined) console.log(`  MLflow      ${cluster.mlflow}`);
  console.log("make cluster ARGS=--stop ends it.");
}

main().catch((error: unknown) => {
  console.error(asText(error));
  process.exitCode = 1;
});
