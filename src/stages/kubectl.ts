import { createHash } from "node:crypto";

import { dag, type Container, type Secret, type Service } from "@dagger.io/dagger";

import type { ToolRun } from "../core/check.js";
import type { Context } from "./context.js";
import { HELPERS, runTool } from "./execution.js";
import { withProgram } from "./programs.js";

const REQUESTS = "/run/requests";

/** Where the kubeconfig is in a container that talks to the cluster. */
const KUBECONFIG = "/run/kube/config";

/** Where its secrets are once more, one a file, for nobody to read. */
const HIDDEN = "/run/kube/hidden";

/** What kinds of objects a cluster has, which kubectl asks for anew in each container otherwise. */
const KINDS = "/var/cache/kubectl";

/** Seconds for one call of kubectl, unless it says otherwise. */
const LIMIT = 60;

/** Seconds to repeat a call while the API server is away: longer than a restart of it takes. */
const PATIENCE = 60;

/** What kubectl says when the API server does not answer, which may pass. */
const AWAY =
  "(connection refused|connection reset|was refused|i/o timeout|TLS handshake timeout|EOF|no route to host|ServiceUnavailable|the server is currently unable|etcdserver|http2: client connection lost|context deadline exceeded|Client\\.Timeout|starting up|apiserver not ready)";

/**
 * What it says for a moment after the API server was started: kinds that are defined in the cluster come
 * last. Of one that is not there at all it says the same, so that is not believed for long.
 */
const STARTING = `(the server doesn't have a resource type|no matches for kind|ensure CRDs are installed|could not find the requested resource|unable to retrieve the complete list of server APIs)`;

/** Seconds to repeat a call whose kind is not known. */
const STARTING_SECONDS = 15;

/** A cluster, and how containers get there. */
export interface Cluster {
  /** A kubeconfig as YAML, whole: certificates and tokens stand in it. */
  readonly kubeconfig: Secret;
  readonly namespace: string;
  /** The API server where it answers on the caller's own loopback alone, under the name `cluster`. */
  readonly service?: Service | undefined;
  /** What is secret in the kubeconfig, each by itself: an engine hides from outputs what it knows of. */
  readonly hidden?: readonly Secret[];
}

/** One call of kubectl. */
export interface Request {
  /** Without `kubectl`, `--kubeconfig` and `--namespace`. */
  readonly args: readonly string[];
  /** Standard input, such as the objects of `apply --filename=-`. */
  readonly input?: string;
  /** Left out when one before it failed. @default false */
  readonly needs?: boolean;
  /** Seconds to repeat it while the API server is away. @default PATIENCE */
  readonly patience?: number;
  /** Wait, at most so many seconds, until the output is another one than this. */
  readonly changed?: { readonly from: string; readonly seconds: number };
  /** Wait, at most so many seconds, until the output has this pattern (Python's, by lines). */
  readonly until?: { readonly pattern: string; readonly seconds: number };
  /** Seconds between two tries. @default 0.5 */
  readonly every?: number;
}

/** How one call ended; undefined for one that was left out. */
export type Answer =
  | (Pick<ToolRun, "exitCode" | "stdout" | "stderr"> & {
      tries: number;
      /** Seconds for which it failed since the API server was away, before it was answered. */
      away?: number;
    })
  | undefined;

/** A container with kubectl that reaches the cluster. */
export function withCluster(container: Container, cluster: Cluster): Container {
  const { kubeconfig, service, hidden = [] } = cluster;
  return hidden
    .reduce(
      (each, secret, index) => each.withMountedSecret(`${HIDDEN}/${index}`, secret),
      container,
    )
    .with((each) => (service ? each.withServiceBinding("cluster", service) : each))
    .withMountedSecret(KUBECONFIG, kubeconfig)
    .withEnvVariable("KUBECONFIG", KUBECONFIG)
    .withMountedCache(KINDS, dag.cacheVolume("slipway-kubectl"))
    .withEnvVariable("KUBECACHEDIR", KINDS);
}

/**
 * Runs several calls of kubectl in one execution, since to start a container takes longer than kubectl
 * does; nothing of it is ever kept.
 *
 * @param atOnce Side by side, whatever becomes of the others. @default false
 * @returns How each ended, in their order. When the execution itself did not work, that is the answer to all.
 */
export async function kubectl(
  context: Context,
  cluster: Cluster,
  requests: readonly Request[],
  { atOnce = false }: { readonly atOnce?: boolean } = {},
): Promise<Answer[]> {
  const asked = requests.map(
    ({ args, input, needs = false, patience = PATIENCE, changed, ...more }) => ({
      args: ["kubectl", `--namespace=${cluster.namespace}`, ...args],
      input: input ?? null,
      needs,
      retry: [
        { seconds: patience, pattern: AWAY },
        { seconds: Math.min(patience, STARTING_SECONDS), pattern: STARTING },
      ],
      changed: changed && { seconds: changed.seconds, from: sha256(changed.from) },
      ...more,
    }),
  );
  const file = dag.directory().withNewFile("requests.json", JSON.stringify(asked));
  const container = withCluster(withProgram(context, "kubectl"), cluster).withMountedDirectory(
    REQUESTS,
    file,
  );
  const { run } = await runTool(
    { attempt: `${new Date().toISOString()} ${Math.random()}` },
    container,
    [
      ...["python3", `${HELPERS}/requests.py`, ...(atOnce ? ["--at-once"] : [])],
      `${REQUESTS}/requests.json`,
    ],
    { timeout: requests.reduce((sum, each) => sum + limitOf(each), 0), version: "" },
  );
  const { exitCode, stdout, stderr } = run;
  if (exitCode !== 0) return requests.map(() => ({ exitCode, stdout: "", stderr, tries: 1 }));
  return (JSON.parse(stdout) as (Answer | null)[]).map((answer) => answer ?? undefined);
}

function limitOf({ patience = PATIENCE, changed, until }: Request): number {
  return LIMIT + patience + (changed?.seconds ?? 0) + (until?.seconds ?? 0);
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
