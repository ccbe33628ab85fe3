import {
  canaryOf,
  isServiceWorkload,
  podsOf,
  replicasFor,
  routerOf,
  trackName,
  type KubernetesObject,
} from "../../core/delivery/objects/index.js";
import { stableHandover } from "../../core/delivery/changes.js";
import type { Observation, ReleaseRecord } from "../../core/delivery/types.js";
import { failed, type Finding, type Said } from "../../core/delivery/validation/findings.js";
import { gatewayFinding } from "../../core/delivery/validation/gateway.js";
import {
  foreignFinding,
  heldLease,
  leaseFinding,
} from "../../core/delivery/validation/progress.js";
import { questions, trialQuestion } from "../../core/delivery/validation/questions.js";
import { demandOf, podsNeeded, quotaFinding } from "../../core/delivery/validation/quota.js";
import { rightsFinding, rightsNeeded } from "../../core/delivery/validation/rights.js";
import {
  namespaceFinding,
  secretsFinding,
  serverFinding,
  userFinding,
} from "../../core/delivery/validation/server.js";
import { podFinding, trialFindings } from "../../core/delivery/validation/trial.js";
import type { Context } from "../context.js";
import { kubectl, type Cluster } from "../kubectl.js";
import { leaseOf } from "./lock.js";
import { serviceName } from "./open.js";

/** Seconds to wait for the API server; who only looks does not wait long. */
export const PATIENCE = 5;

/** Seconds in which whoever holds a lease gives a sign of life. */
const BEAT = 12;

/** A release, and what it comes to. */
export interface Brought {
  readonly release: ReleaseRecord;
  readonly live: ReleaseRecord | undefined;
  readonly seen: Observation;
}

/**
 * Looks at the cluster, in one execution: whether it answers and takes a release's objects, what the caller
 * may do, and whether anything stands in the way. Nothing is changed.
 *
 * @param brought Undefined when nothing new is brought, or it could not be made.
 * @param isHolder Whether the caller has the lease: then nothing else can be in progress.
 */
export async function examineCluster(
  context: Context,
  cluster: Cluster,
  brought: Brought | undefined,
  isHolder = false,
): Promise<Finding[]> {
  const name = serviceName(context);
  const stable = brought ? triedObjects(brought) : [];
  const { namespace } = cluster;
  const { deploy } = context.config;
  const pods = podsOf(stable, name) ?? deploy.replicas;
  const canary = largestCanary(brought?.release.objects ?? [], { name, pods, deploy });
  const workload = canary.find((each) => isServiceWorkload(each, trackName(name, "canary")));
  const objects = [...stable, ...canary];
  const rights = rightsNeeded(objects);
  const secrets = objects.length === 0 ? [] : secretsOf(deploy);
  const asked = questions({
    ...{ name, namespace, deploy, rights, secrets, objects, isHolder },
    canary: workload,
  });
  const answers = await kubectl(
    context,
    cluster,
    Object.values(asked).map((question) => ({ ...question, patience: PATIENCE })),
    "at once",
  );
  const said = (about: string): Said => answers[Object.keys(asked).indexOf(about)];
  const server = serverFinding(said("version"));
  if (!server.ok) return [server, unknown("the cluster does not answer")];
  const user = userFinding(said("whoami"));
  if (!user.ok) return [server, user, unknown("the cluster does not take the credentials")];
  const place = namespaceFinding(namespace, said("namespace"));
  const findings = [server, user, place, rightsFinding(rights, said("rights"))];
  if (!place.ok) return [...findings, unknown("there is no such namespace")];
  const { route } = deploy;
  if (route.gateway !== undefined) {
    const wanted = { gateway: route.gateway, namespace, hostnames: route.hostnames };
    findings.push(gatewayFinding(wanted, said("gateway")));
  }
  if (objects.length > 0)
    findings.push(
      ...secretsFinding(secrets, said("secrets")),
      ...trialFindings(objects, said("trial")),
      ...foreignFinding(name, said("deployment")),
    );
  if (workload) {
    const isFirst = said("deployment")?.stdout.trim() === "";
    const more = podsNeeded({
      stable: pods,
      canary: podsOf(canary, workload.metadata.name) ?? 1,
      isFirst,
    });
    findings.push(podFinding(said("pod")), quotaFinding(demandOf(workload, more), said("quotas")));
  }
  if (isHolder) return findings;
  const lease = said("lease");
  return [...findings, leaseFinding(name, lease, await later(context, cluster, name, lease))];
}

/** A release's stable objects as they are applied by their owner, Slipway; another one only holds the number of pods. */
function triedObjects({ release, seen, live }: Brought): readonly KubernetesObject[] {
  return stableHandover(release, seen, live).objects;
}

/** A trial of a release's stable objects: all of them, and what the API server says to them. */
export async function tryRelease(
  context: Context,
  cluster: Cluster,
  brought: Brought,
): Promise<{ readonly objects: readonly KubernetesObject[]; readonly said: Said }> {
  const objects = triedObjects(brought);
  const [said] = await kubectl(context, cluster, [
    { ...trialQuestion(objects), patience: PATIENCE },
  ]);
  return { objects, said };
}

/** The lease once more when somebody holds it, since a holder who lives changes it. */
async function later(context: Context, cluster: Cluster, name: string, first: Said): Promise<Said> {
  if (!heldLease(first)) return first;
  const changed = { from: first?.stdout ?? "", seconds: BEAT };
  const [answer] = await kubectl(context, cluster, [{ ...leaseOf(name), changed, every: 2 }]);
  return answer;
}

/** The canary as it is at its last step. */
function largestCanary(
  stable: readonly KubernetesObject[],
  { name, pods, deploy }: { name: string; pods: number; deploy: Context["config"]["deploy"] },
): KubernetesObject[] {
  if (!stable.some((each) => isServiceWorkload(each, name))) return [];
  const weight =
    deploy.strategy === "blue-green" ? 100 : Math.max(...deploy.steps.map((step) => step.weight));
  const { canary: replicas } = replicasFor(routerOf(deploy), pods, weight);
  return canaryOf(stable, { name, release: 1, replicas });
}

function secretsOf({ secrets, pullSecret }: Context["config"]["deploy"]): string[] {
  return pullSecret === undefined ? secrets : [...secrets, pullSecret];
}

function unknown(why: string): Finding {
  return failed("rights, objects, quota, releases", `not known: ${why}`);
}
