import type { Secret, Service } from "@dagger.io/dagger";

import type { Observation, ReleaseRecord } from "../../core/delivery/types.js";
import { readLease } from "../../core/delivery/lease.js";
import { observe, readObjects } from "../../core/delivery/observe.js";
import { podPort } from "../../core/delivery/ports.js";
import { observations } from "../../core/delivery/queries.js";
import { refusal } from "../../core/delivery/refusal.js";
import { readReleases, releaseSelector } from "../../core/delivery/release.js";
import { Run } from "../../core/delivery/run.js";
import { SlipwayError } from "../../core/errors.js";
import type { Context } from "../context.js";
import { kubectl, type Cluster, type Request } from "../kubectl.js";
import { moveAlias, type ModelAccess } from "../model.js";
import type { Login } from "../programs.js";
import type { Answer } from "../requests.js";
import { openCluster } from "./access.js";
import { analyse } from "./analysis.js";
import { leaseOf, Lock } from "./lock.js";
import { smoke } from "./smoke.js";
import { ClusterWorld } from "./world.js";

/** How a cluster, and what else a deployment needs, is reached. */
export interface Access {
  readonly kubeConfig: Secret | undefined;
  /** The API server on the caller's own loopback. */
  readonly cluster?: Service | undefined;
  readonly login?: Login | undefined;
  /** PEM; in place of what the configuration says. */
  readonly publicKey?: string | undefined;
  readonly models: ModelAccess;
  /** Bearer token of the metrics server. */
  readonly metricsToken?: Secret | undefined;
  /** Who does it, for the records. */
  readonly by: string;
  /** Id of this run. */
  readonly run: string;
}

/** Name of the service in the cluster. */
export function serviceName({ config, project }: Pick<Context, "config" | "project">): string {
  return config.deploy.name ?? project.name;
}

/** A run that has the lease, and what it needs to end. */
export interface Opened {
  readonly run: Run;
  readonly world: ClusterWorld;
  readonly cluster: Cluster;
}

/** The cluster that an access leads to, in the configured namespace. */
export async function clusterOf(context: Context, access: Access): Promise<Cluster> {
  const { kubeConfig, cluster } = access;
  if (!kubeConfig)
    throw new SlipwayError(
      "USAGE",
      "There is no cluster to go to: pass --kube-config, or set KUBE_CONFIG_DATA to a kubeconfig (plain or base64).",
    );
  const { namespace } = context.config.deploy;
  return await openCluster(context, { kubeConfig, cluster, namespace });
}

/**
 * Takes the service's lease and looks at what is there.
 *
 * @param force Take the lease from a run that lives, as `abort` does.
 * @throws SlipwayError USAGE when another run is at it, DELIVERY when the cluster does not answer.
 */
export async function openRun(
  context: Context,
  access: Access,
  cluster: Cluster,
  { force = false }: { readonly force?: boolean } = {},
): Promise<Opened> {
  const service = serviceName(context);
  const routed = context.config.deploy.route.gateway !== undefined;
  const me = holderOf(access);
  const also = questions(service, routed);
  const { lock, answers } = await Lock.acquire(context, cluster, service, me, {
    force,
    also,
  });
  const known = await readOrRelease(service, answers, lock);
  // A release of before may have a gateway that this configuration has no more.
  const hasGateway = routed || known.records.some(hasRoute);
  const world = new ClusterWorld(context, cluster, service, hasGateway, lock, {
    analyse: (release, weight) => analyse(context, cluster, targetOf(release, weight), access),
    smoke: (release) => smoke(context, cluster, targetOf(release, 0)),
    moveAlias: (release) => aliasFollows(context, access.models, release),
    say: (text) => {
      console.log(text);
    },
  });
  const seen = hasGateway === routed ? known.seen : await world.look();
  return { world, cluster, run: new Run(world, known.records, seen) };
}

/** What is there; whoever cannot read it gives the lease back, so that the next run need not wait. */
async function readOrRelease(
  service: string,
  answers: readonly Answer[],
  lock: Lock,
): Promise<Known> {
  try {
    return readAnswers(service, answers);
  } catch (error) {
    await lock.giveBack().catch(() => undefined);
    throw error;
  }
}

/** How the lease names this run. */
function holderOf({ by, run }: Pick<Access, "by" | "run">): string {
  return `${by} (${run})`;
}

/**
 * What is there of a service, without the lease: nothing is changed by who asks.
 *
 * @param patience Seconds to go on asking an API server that does not answer.
 * @throws SlipwayError DELIVERY when it does not say.
 */
export async function lookAround(
  context: Context,
  cluster: Cluster,
  patience?: number,
): Promise<Known & { readonly holder: string }> {
  const service = serviceName(context);
  const routed = context.config.deploy.route.gateway !== undefined;
  const asked = [leaseOf(service), ...questions(service, routed)];
  const [held, ...answers] = await kubectl(
    context,
    cluster,
    asked.map((request) => ({ ...request, ...(patience !== undefined && { patience }) })),
    "at once",
  );
  const known = readAnswers(service, answers);
  return { ...known, holder: held?.exitCode === 0 ? (readLease(held.stdout)?.holder ?? "") : "" };
}

/** What is known of a service in the cluster. */
export interface Known {
  readonly records: readonly ReleaseRecord[];
  readonly seen: Observation;
}

function questions(service: string, hasGateway: boolean): Request[] {
  const secrets = { kind: "v1/secrets", selector: releaseSelector(service) };
  return [{ api: observations(service, hasGateway) }, { api: { all: [secrets] } }];
}

function readAnswers(service: string, answers: readonly Answer[]): Known {
  const bad = answers.find((answer) => answer?.exitCode !== 0);
  if (answers.length === 0 || answers.includes(undefined) || bad)
    throw new SlipwayError(
      "DELIVERY",
      refusal("Nothing was changed: the cluster does not say what is there", bad?.stderr ?? ""),
    );
  const texts = answers.map((answer) => answer?.stdout ?? "");
  const records = readReleases(texts.at(-1) ?? "");
  return { records, seen: observe(service, texts.slice(0, -1).flatMap(readObjects)) };
}

function hasRoute({ config }: ReleaseRecord): boolean {
  return config.route.gateway !== undefined;
}

function targetOf(release: ReleaseRecord, weight: number) {
  const { service, number } = release;
  const target = { name: service, canary: `${service}-canary`, stable: service };
  return { ...target, port: podPort(release), release: number, weight };
}

/** The alias follows what is live; where it does not, that is told, and nothing is taken back for it. */
async function aliasFollows(
  context: Context,
  models: ModelAccess,
  { model }: ReleaseRecord,
): Promise<string | undefined> {
  if (!model) return undefined;
  try {
    await moveAlias(context, models, model);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
