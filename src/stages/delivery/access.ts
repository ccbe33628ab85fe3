import { dag, type Secret, type Service } from "@dagger.io/dagger";

import { readKubeconfig, type Kubeconfig } from "../../core/delivery/kubeconfig.js";
import { SlipwayError } from "../../core/errors.js";
import type { Context } from "../context.js";
import type { Cluster } from "../kubectl.js";

/** What the caller says of the cluster. */
export interface ClusterArguments {
  /** A kubeconfig, plain or in base64. */
  readonly kubeConfig: Secret;
  /** The API server where it answers on the caller's own loopback alone. */
  readonly cluster?: Service | undefined;
  /** In place of deploy.namespace. */
  readonly namespace?: string | undefined;
}

/**
 * The cluster that a kubeconfig leads to. Nothing is asked of it.
 *
 * @throws SlipwayError USAGE with everything that keeps the kubeconfig from being used.
 */
export async function openCluster(context: Context, given: ClusterArguments): Promise<Cluster> {
  const read = await readAccess(context, given);
  if (read.problems.length === 0) return clusterOf(context, read, given);
  throw new SlipwayError(
    "USAGE",
    `The kubeconfig (KUBE_CONFIG_DATA) cannot be used: ${read.problems.join("; ")}. Nothing was changed in the cluster.`,
  );
}

/** What a kubeconfig says; what is wrong with it is in its problems. */
export async function readAccess(
  { config }: Pick<Context, "config">,
  { kubeConfig, cluster }: ClusterArguments,
): Promise<Kubeconfig> {
  return readKubeconfig(await kubeConfig.plaintext(), {
    context: config.deploy.context,
    service: cluster !== undefined,
    now: new Date(),
  });
}

/** The cluster of a kubeconfig without problems. */
export function clusterOf(
  { config }: Pick<Context, "config">,
  { text, context, server, secrets }: Kubeconfig,
  { cluster, namespace = config.deploy.namespace }: ClusterArguments,
): Cluster {
  // Named by what they are of: one secret is not taken for another's.
  const name = `kubeconfig ${context} of ${server}`;
  return {
    kubeconfig: dag.setSecret(name, text),
    namespace,
    service: cluster,
    starts: 0,
    hidden: secrets.map((secret, index) => dag.setSecret(`${name} ${index}`, secret)),
  };
}
