import { createHash } from "node:crypto";

import { dag, type Container, type Secret, type Service } from "@dagger.io/dagger";

import { withPaths, type ApiRequest } from "../core/delivery/api.js";
import type { Context } from "./context.js";
import { newAttempt } from "./execution.js";
import { withProgram } from "./programs.js";
import { request, type Answer, type Order, type Request as Command } from "./requests.js";

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
  "(connection refused|connection reset|was refused|i/o timeout|TLS handshake timeout|EOF|no route to host|ServiceUnavailable|the server is currently unable|TooManyRequests|etcdserver|http2: client connection lost|context deadline exceeded|Client\\.Timeout|starting up|apiserver not ready)";

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
  /** How often kubectl was started for requests and calls so far; the ways to pods are not counted. */
  starts: number;
}

/** A request to the API server, or a call of kubectl where it takes more than that. */
export type Request = Options & (Call | { readonly api: ApiRequest });

type Call = Pick<Command, "args" | "input">;

interface Options extends Pick<Command, "needs" | "optional" | "until" | "every"> {
  /** Seconds for one answer. @default LIMIT */
  readonly limit?: number;
  /** Seconds to repeat it while the API server is away. @default PATIENCE */
  readonly patience?: number;
  /** Wait, at most so many seconds, until the output is another one than this. */
  readonly changed?: { readonly from: string; readonly seconds: number };
}

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

/** How often kubectl was started: once for all requests to the API server, and for each call. */
function startsOf(requests: readonly Request[], answers: readonly Answer[]): number {
  const calls = requests.map((request, index) =>
    "api" in request ? 0 : (answers[index]?.tries ?? 0),
  );
  const proxies = requests.some((each) => "api" in each) ? 1 : 0;
  return calls.reduce((sum, each) => sum + each, proxies);
}

/**
 * Asks the API server, and calls kubectl, in one execution; nothing of it is ever kept.
 *
 * @returns How each ended, in their order.
 */
export async function kubectl(
  context: Context,
  cluster: Cluster,
  requests: readonly Request[],
  order: Order = "in turn",
): Promise<Answer[]> {
  const { namespace } = cluster;
  const commands = requests.map(({ patience = PATIENCE, changed, limit = LIMIT, ...more }) => ({
    ...more,
    ...("api" in more
      ? { api: withPaths(more.api, namespace), namespace }
      : { args: ["kubectl", `--namespace=${namespace}`, ...more.args] }),
    limit,
    retry: [
      { seconds: patience, pattern: AWAY },
      { seconds: Math.min(patience, STARTING_SECONDS), pattern: STARTING },
    ],
    changed: changed && { seconds: changed.seconds, from: sha256(changed.from) },
  }));
  // A call is over before it has made much that is to be collected.
  const container = withCluster(withProgram(context, "kubectl"), cluster).withEnvVariable(
    "GOGC",
    "400",
  );
  const answers = await request(container, commands, order, newAttempt());
  cluster.starts += startsOf(requests, answers);
  return answers;
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
