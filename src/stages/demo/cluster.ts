import { dag, type Secret, type Service } from "@dagger.io/dagger";

import { SlipwayError } from "../../core/errors.js";
import { k3sImage } from "../../images.js";
import type { Context } from "../context.js";
import { openCluster } from "../delivery/access.js";
import { kubectl, type Cluster, type Request } from "../kubectl.js";
import { REGISTRY_ALIAS, within, withProgram } from "../programs.js";
import type { Answer } from "../requests.js";

/** The API server, as the demo's containers call it. */
const NAME = "cluster";

const SHARED = "/shared";
const KUBECONFIG = "k3s.yaml";

/** Seconds for a cluster to come up; its images may have to be pulled. */
const PATIENCE = 180;

/** What k3s writes, in memory: its own layers cannot lie upon a container's. */
const IN_MEMORY = ["/run", "/var/lib/cni", "/var/lib/kubelet", "/var/lib/rancher/k3s", "/var/log"];

/**
 * Where cgroups are of version 2, a group that has processes gives its children no controllers: the
 * processes go into a child, as k3s does by itself where it is the first process.
 */
const START = `
if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
  mkdir -p /sys/fs/cgroup/init
  for process in $(cat /sys/fs/cgroup/cgroup.procs); do echo "$process" > /sys/fs/cgroup/init/cgroup.procs || true; done
  for controller in $(cat /sys/fs/cgroup/cgroup.controllers); do echo "+$controller" > /sys/fs/cgroup/cgroup.subtree_control || true; done
fi
exec k3s server "$@"`;

/** What the demo does not need of k3s, and pods on one node without a tunnel. */
const FLAGS = [
  `--tls-san=${NAME}`,
  `--write-kubeconfig=${SHARED}/${KUBECONFIG}`,
  "--disable=coredns,local-storage,metrics-server,servicelb,traefik",
  "--disable-helm-controller",
  "--disable-network-policy",
  "--flannel-backend=host-gw",
];

/** A k3s of one node that runs. */
export interface Sandbox {
  readonly kubeConfig: Secret;
  readonly service: Service;
  readonly cluster: Cluster;
  /** Runs kubectl in the demo's namespace. */
  readonly ask: (...requests: Request[]) => Promise<string[]>;
  readonly stop: () => Promise<void>;
}

/**
 * Starts a k3s as a service of the engine, with root's capabilities, and waits until pods can run.
 *
 * @param repository Where images are pulled from; over plain http when it is on the caller's loopback.
 */
export async function startSandbox(context: Context, repository: string): Promise<Sandbox> {
  const { config, registry } = context;
  const { namespace } = config.deploy;
  // Of this cluster alone, and small: what is in it opens nothing any more when the cluster has ended.
  const shared = dag.cacheVolume(`slipway-demo-${Date.now()}-${Math.random()}`);
  const plain = dag
    .container()
    .from(k3sImage(config.images))
    .withMountedCache(SHARED, shared)
    .withNewFile("/etc/rancher/k3s/registries.yaml", registries(context, repository))
    .withExposedPort(6443);
  const bound = registry ? plain.withServiceBinding(REGISTRY_ALIAS, registry) : plain;
  const service = IN_MEMORY.reduce((each, folder) => each.withMountedTemp(folder), bound).asService(
    {
      args: ["sh", "-c", START, "k3s", ...FLAGS],
      insecureRootCapabilities: true,
    },
  );
  const running = await service.start();
  const stop = async (): Promise<void> => {
    await running.stop({ kill: false });
  };
  try {
    const text = await withProgram(context)
      .withMountedCache(SHARED, shared)
      .withEnvVariable("SLIPWAY_ATTEMPT", new Date().toISOString())
      .withExec([
        ...["timeout", String(PATIENCE), "sh", "-c"],
        `until [ -s ${SHARED}/${KUBECONFIG} ]; do sleep 0.2; done; cp ${SHARED}/${KUBECONFIG} /kubeconfig`,
      ])
      .file("/kubeconfig")
      .contents();
    const kubeConfig = dag.setSecret("the demo's kubeconfig", text);
    const cluster = await openCluster(context, { kubeConfig, cluster: service, namespace });
    const ask = async (...requests: Request[]): Promise<string[]> =>
      (await kubectl(context, cluster, requests)).map(told);
    await ask(
      {
        args: [
          "get",
          "nodes",
          `--output=jsonpath={.items[*].status.conditions[?(@.type=="Ready")].status}`,
        ],
        until: { pattern: "True", seconds: PATIENCE },
      },
      { args: ["create", "namespace", namespace] },
      {
        args: ["get", "serviceaccounts", "--output=name"],
        until: { pattern: "^serviceaccount/default$", seconds: PATIENCE },
      },
    );
    return { kubeConfig, service, cluster, ask, stop };
  } catch (error) {
    await stop().catch(() => undefined);
    throw error;
  }
}

/** k3s' file of registries: those on the caller's loopback have another name in containers. YAML is JSON too. */
function registries(context: Context, repository: string): string {
  const [host = ""] = repository.split("/");
  const [inside = ""] = within(context, repository).split("/");
  const mirrors = inside === host ? {} : { [host]: { endpoint: [`http://${inside}`] } };
  return JSON.stringify({ mirrors });
}

function told(answer: Answer): string {
  if (answer?.exitCode === 0) return answer.stdout;
  throw new SlipwayError("DELIVERY", `The demo's cluster does not work: ${answer?.stderr ?? ""}`);
}
