import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { Api } from "../sandbox/cluster/api.js";
import { ensureCluster, type Cluster } from "../sandbox/cluster/cluster.js";
import { registryAddress } from "../sandbox/registry.js";
import { signedServiceImage, type Variant } from "../sandbox/service.js";
import { machinePython } from "./by-hand.js";
import { slipway, type Typed } from "./command.js";

const PASSWORD = "of the benchmark";

/** Who deploys: may do everything, under a name by which the API server counts its requests. */
const DEPLOYER = "bench-deployer";

/** A cluster to measure in, a key, and images that are signed with it. */
export interface Ground {
  readonly cluster: Cluster;
  readonly api: Api;
  /** Folder of the run. */
  readonly scratch: string;
  /** A namespace of the run, which goes with it. */
  readonly namespace: string;
  /** Path of the deployer's kubeconfig. */
  readonly kubeconfig: string;
  /** Path of the public key. */
  readonly publicKey: string;
  /** Reference of a variant's image, by digest. */
  readonly image: (variant: Variant) => Promise<string>;
  /** The deployer's requests that the API server has answered so far. */
  readonly requests: () => Promise<number>;
  readonly leave: () => Promise<void>;
}

/** Enters this working copy's cluster, which stays. */
export async function enter(scratch: string): Promise<Ground> {
  await mkdir(scratch, { recursive: true });
  const cluster = await ensureCluster();
  const api = await Api.connect(cluster.credentials);
  const namespace = `bench-${randomBytes(4).toString("hex")}`;
  const items = [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
    ...deployer(),
  ];
  await cluster.kubectl(["apply", "--filename=-"], { apiVersion: "v1", kind: "List", items });
  await cluster.credentials.client(DEPLOYER, `/CN=${DEPLOYER}`);
  const kubeconfig = join(scratch, "kubeconfig");
  const text = await cluster.credentials.kubeconfig({ client: DEPLOYER });
  await writeFile(kubeconfig, text, { mode: 0o600 });
  await slipway(scratch, ["keys", "generate", "--folder", scratch], {
    env: { COSIGN_PASSWORD: PASSWORD },
  });
  const images = new Map<Variant, Promise<string>>();
  const image = (variant: Variant): Promise<string> => {
    const signer = { key: join(scratch, "cosign.key"), password: PASSWORD };
    // An image of this run: the signatures of other runs would be looked at too.
    const made =
      images.get(variant) ??
      signedServiceImage(variant, signer, { env: { BENCH: namespace } }).then(
        ({ reference }) => reference,
      );
    images.set(variant, made);
    return made;
  };
  return {
    ...{ cluster, api, scratch, namespace, kubeconfig, image },
    publicKey: join(scratch, "cosign.pub"),
    requests: () => answered(api),
    leave: async () => {
      await cluster.kubectl(["delete", "namespace", namespace, "--wait=false"]);
      api.close();
    },
  };
}

/** The user, and what lets the API server count its requests by themselves. */
function deployer(): object[] {
  const metadata = { name: DEPLOYER };
  const user = { kind: "User", name: DEPLOYER };
  const every = { verbs: ["*"], apiGroups: ["*"], resources: ["*"] };
  const rbac = "rbac.authorization.k8s.io";
  return [
    {
      ...{ apiVersion: `${rbac}/v1`, kind: "ClusterRoleBinding", metadata },
      roleRef: { apiGroup: rbac, kind: "ClusterRole", name: "cluster-admin" },
      subjects: [{ apiGroup: rbac, ...user }],
    },
    {
      ...{ apiVersion: "flowcontrol.apiserver.k8s.io/v1", kind: "FlowSchema", metadata },
      spec: {
        matchingPrecedence: 100,
        priorityLevelConfiguration: { name: "workload-high" },
        rules: [
          {
            subjects: [{ kind: "User", user: { name: DEPLOYER } }],
            resourceRules: [{ ...every, clusterScope: true, namespaces: ["*"] }],
            nonResourceRules: [{ verbs: ["*"], nonResourceURLs: ["*"] }],
          },
        ],
      },
    },
  ];
}

async function answered(api: Api): Promise<number> {
  const { status, text } = await api.ask("GET", "/metrics");
  if (status !== 200) throw new Error(`The API server gives no metrics: ${status}`);
  const name = "apiserver_flowcontrol_dispatched_requests_total{";
  return text
    .split("\n")
    .filter((line) => line.startsWith(name) && line.includes(`flow_schema="${DEPLOYER}"`))
    .reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}

/** `slipway deploy` of a variant, or `slipway rollback`. */
export async function typed(
  { kubeconfig, publicKey, image }: Ground,
  project: string,
  word: "deploy" | "rollback",
  variant?: Variant,
  options: Typed = {},
): Promise<void> {
  const reference = variant ? ["--reference", await image(variant)] : [];
  const words = [word, ...reference, "--public-key", publicKey];
  const set = ["--set", `python.version=${await machinePython()}`];
  // A rollback does not name the image: that its registry is on loopback has to be said.
  const registry = ["--registry", `tcp://${registryAddress()}`];
  await slipway(project, [...words, ...set, ...registry], {
    ...options,
    env: { KUBECONFIG: kubeconfig },
  });
}
