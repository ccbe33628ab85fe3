import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { Api } from "./api.js";
import { until } from "./boot.js";
import type { Cluster } from "./cluster.js";

/** What can go wrong with a cluster, on purpose. */
export class Faults {
  constructor(private readonly cluster: Cluster) {}

  /** Kills the API server. */
  async killApiServer(): Promise<void> {
    await this.cluster.processes.kill("kube-apiserver");
  }

  /** Starts the API server again, and waits until it is ready. */
  async startApiServer(): Promise<void> {
    const { processes, credentials } = this.cluster;
    await processes.startAgain("kube-apiserver");
    const api = await Api.connect(credentials);
    try {
      await until(processes, "kube-apiserver", "is not ready", async () => {
        return (await api.ask("GET", "/readyz")).status === 200;
      });
    } finally {
      api.close();
    }
  }

  /** Lets the API server hang meanwhile: connections are taken, and nothing is answered. */
  async freezeApiServer(meanwhile: () => Promise<void>): Promise<void> {
    const { processes } = this.cluster;
    await processes.signal("kube-apiserver", "STOP");
    try {
      await meanwhile();
    } finally {
      await processes.signal("kube-apiserver", "CONT");
    }
  }

  /** Ends the kubelet: pods go on, but nobody looks after them. */
  async stopKubelet(): Promise<void> {
    await this.cluster.processes.kill("kubelet", "TERM");
  }

  async startKubelet(): Promise<void> {
    await this.cluster.processes.startAgain("kubelet");
  }

  /** Evicts a pod as a drain does: PodDisruptionBudgets count, and refuse it. */
  async evict(namespace: string, pod: string): Promise<void> {
    const eviction = {
      apiVersion: "policy/v1",
      kind: "Eviction",
      metadata: { name: pod, namespace },
    };
    const path = `/api/v1/namespaces/${namespace}/pods/${pod}/eviction`;
    await this.cluster.kubectl(["create", "--raw", path, "-f", "-"], eviction);
  }

  /**
   * Gives a namespace a quota that is used up: not one pod more than there are now.
   *
   * @returns What takes the quota away.
   */
  async fillQuota(namespace: string): Promise<() => Promise<void>> {
    const { kubectl } = this.cluster;
    const in_ = ["--namespace", namespace];
    const pods = await kubectl(["get", "pods", ...in_, "--output", "name"]);
    const used = pods.split("\n").filter((line) => line !== "").length;
    const name = "filled";
    await kubectl(["apply", "-f", "-"], {
      apiVersion: "v1",
      kind: "ResourceQuota",
      metadata: { name, namespace },
      spec: { hard: { pods: String(used) } },
    });
    // Admission refuses everything for a moment, until the controller has counted.
    const path = "jsonpath={.status.hard.pods}";
    while ((await kubectl(["get", "quota", name, ...in_, "--output", path])) === "")
      await sleep(50);
    return async () => {
      await kubectl(["delete", "quota", name, ...in_]);
    };
  }
}

/** What a service account may do: verbs by resource, e.g. `{ "deployments.apps": ["get"] }`. */
export type Permissions = Readonly<Record<string, readonly string[]>>;

/** Kubeconfigs for others than the administrator, as files beside the administrator's. */
export class Kubeconfigs {
  constructor(private readonly cluster: Cluster) {}

  /**
   * For a service account that may do this in its namespace and nothing else. Makes both.
   *
   * @param options.seconds How long the API server takes its token, to some 10 s; the token itself
   *   names a time that is a minute earlier. @default 3600
   */
  async serviceAccount(
    namespace: string,
    name: string,
    permissions: Permissions,
    options: { readonly seconds?: number } = {},
  ): Promise<string> {
    const { kubectl, credentials } = this.cluster;
    const metadata = { name, namespace };
    const role = { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name };
    const rules = Object.entries(permissions).map(([resource, verbs]) => {
      const [plural = "", ...group] = resource.split(".");
      return { apiGroups: [group.join(".")], resources: [plural], verbs };
    });
    const rbac = "rbac.authorization.k8s.io/v1";
    const items = [
      { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
      { apiVersion: "v1", kind: "ServiceAccount", metadata },
      { apiVersion: rbac, kind: "Role", metadata, rules },
      {
        ...{ apiVersion: rbac, kind: "RoleBinding", metadata, roleRef: role },
        subjects: [{ kind: "ServiceAccount", ...metadata }],
      },
    ];
    await kubectl(["apply", "-f", "-"], { apiVersion: "v1", kind: "List", items });
    const in_ = ["--namespace", namespace];
    const path = "jsonpath={.metadata.uid}";
    const uid = await kubectl(["get", "serviceaccount", name, ...in_, "--output", path]);
    const token = await credentials.token({ namespace, name, uid }, options.seconds ?? 3600);
    return await this.#write(`${namespace}-${name}-${Date.now()}`, { token });
  }

  /** Takes a service account away: what has its token is refused, within some 10 s. */
  async revoke(namespace: string, name: string): Promise<void> {
    await this.cluster.kubectl(["delete", "serviceaccount", name, "--namespace", namespace]);
  }

  /** The administrator's, with a certificate that is not valid any more. */
  async expired(): Promise<string> {
    await this.cluster.credentials.client("expired", "/O=system:masters/CN=late", -1);
    return await this.#write("expired", { client: "expired" });
  }

  async #write(name: string, user: { client: string } | { token: string }): Promise<string> {
    const file = join(this.cluster.credentials.folder, `${name}.kubeconfig`);
    await writeFile(file, await this.cluster.credentials.kubeconfig(user), { mode: 0o600 });
    return file;
  }
}
