import { setTimeout as sleep } from "node:timers/promises";

import { Api, type KubeObject } from "./api.js";
import { KUBERNETES, NODE_NAME, type ComponentName, type Setting } from "./components.js";
import { contour, envoy, GATEWAY, GATEWAY_OBJECTS, gatewayKinds } from "./gateway.js";
import { mlflow, registerModel } from "./mlflow.js";
import { PORTS } from "./network.js";
import { baseObjects } from "./objects.js";
import type { Processes } from "./processes.js";
import { prometheus } from "./prometheus.js";

/** Time for each thing that is waited for; a machine that builds beside it is slow. */
const PATIENCE_MS = 300_000;

/** Starts all components of Kubernetes and the gateway, as much at once as can be. */
export async function boot(setting: Setting, processes: Processes): Promise<void> {
  const { credentials, link } = setting;
  const start = async (...names: (keyof typeof KUBERNETES)[]): Promise<void> => {
    await Promise.all(names.map((name) => processes.start(name, KUBERNETES[name](setting))));
  };
  await start("etcd", "kube-apiserver", "containerd");
  const api = await Api.connect(credentials);
  const wait = (name: ComponentName, what: string, probe: () => Promise<boolean>): Promise<void> =>
    until(processes, name, what, probe);
  try {
    await wait(
      "kube-apiserver",
      "is not ready",
      async () => (await api.ask("GET", "/readyz")).status === 200,
    );
    await Promise.all([
      start("kubelet", "kube-proxy", "kube-controller-manager", "kube-scheduler", "coredns"),
      startGateway(api, setting, processes),
      ...baseObjects(link.node).map((object) => api.create(object as KubeObject)),
    ]);
    await Promise.all([
      wait("kubelet", "does not make the node ready", () => nodeIsReady(api)),
      wait("kube-controller-manager", "makes no service accounts", async () => {
        const account = "/api/v1/namespaces/default/serviceaccounts/default";
        return (await api.get(account)) !== undefined;
      }),
      wait("contour", "does not program the gateway", () => gatewayIsProgrammed(api)),
      wait("envoy", "is not ready", () => answers(`http://${link.node}:${PORTS.envoy}/ready`)),
    ]);
  } finally {
    api.close();
  }
}

async function startGateway(api: Api, setting: Setting, processes: Processes): Promise<void> {
  const kinds = (await gatewayKinds()) as KubeObject[];
  await Promise.all(kinds.map((kind) => api.create(kind)));
  for (const { metadata } of kinds) {
    const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${metadata.name}`;
    await until(processes, "kube-apiserver", `does not serve ${metadata.name}`, async () =>
      hasCondition(await api.get(path), "Established"),
    );
  }
  await Promise.all([
    processes.start("contour", contour(setting)),
    processes.start("envoy", envoy(setting)),
    (async () => {
      for (const object of GATEWAY_OBJECTS) await api.create(object);
    })(),
  ]);
}

/** Starts Prometheus in a cluster, unless it runs. */
export async function startPrometheus(
  setting: Setting,
  processes: Processes,
  report: (line: string) => void,
): Promise<void> {
  if (!(await processes.runs("prometheus")))
    await processes.start("prometheus", await prometheus(setting, report));
  const url = `http://${setting.link.node}:${PORTS.prometheus}/-/ready`;
  await until(processes, "prometheus", "is not ready", () => answers(url));
}

/** Starts MLflow in a cluster and registers the model, unless it runs. */
export async function startMlflow(
  setting: Setting,
  processes: Processes,
  report: (line: string) => void,
): Promise<void> {
  if (!(await processes.runs("mlflow")))
    await processes.start("mlflow", await mlflow(setting, report));
  const url = `http://${setting.link.node}:${PORTS.mlflow}`;
  await until(processes, "mlflow", "does not answer", () => answers(`${url}/health`));
  await registerModel(url);
}

interface WithConditions {
  status?: { conditions?: { type: string; status: string }[] };
}

function hasCondition(object: WithConditions | undefined, type: string): boolean {
  const conditions = object?.status?.conditions ?? [];
  return conditions.some((each) => each.type === type && each.status === "True");
}

async function nodeIsReady(api: Api): Promise<boolean> {
  return hasCondition(await api.get(`/api/v1/nodes/${NODE_NAME}`), "Ready");
}

/** Whether Contour has translated the Gateway; Envoy listens only once there is a route. */
async function gatewayIsProgrammed(api: Api): Promise<boolean> {
  const { namespace, name } = GATEWAY;
  const path = `/apis/gateway.networking.k8s.io/v1/namespaces/${namespace}/gateways/${name}`;
  return hasCondition(await api.get(path), "Programmed");
}

async function answers(url: string): Promise<boolean> {
  return await fetch(url).then(
    async (response) => {
      await response.arrayBuffer();
      return response.ok;
    },
    () => false,
  );
}

/**
 * Waits until `probe` holds.
 *
 * @throws SandboxError when any component ends, or when it takes too long; then of `name`, which
 *   `what` did not happen.
 */
export async function until(
  processes: Processes,
  name: ComponentName,
  what: string,
  probe: () => Promise<boolean>,
): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  let checked = Date.now();
  while (!(await probe())) {
    if (Date.now() > end)
      throw await processes.failure(name, `${what} after ${PATIENCE_MS / 1000} s`);
    if (Date.now() - checked > 1000) {
      await processes.check();
      checked = Date.now();
    }
    await sleep(50);
  }
}
