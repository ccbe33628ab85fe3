import { isServiceWorkload, withReplicas, type KubernetesObject } from "./objects/index.js";
import { readDeployment } from "./objects/shape.js";
import type { ReleaseRecord } from "./types.js";

/** Field manager that has the number of pods while it goes from Slipway to an autoscaler, or back. */
export const PODS_MANAGER = "slipway-pods";

/** What is applied, in this order, where the number of pods changes hands. */
export interface Handover {
  /** By `PODS_MANAGER`, whoever else has that one field: nothing but the number that there is. */
  readonly first: readonly KubernetesObject[];
  readonly objects: readonly KubernetesObject[];
  /** By `PODS_MANAGER`: it has the field no more. */
  readonly last: readonly KubernetesObject[];
}

/**
 * The objects of a release that becomes stable, so that the number of pods stays as it is when an
 * autoscaler comes or goes with it. The API server takes a field away that its only owner applies no
 * more, and one pod would be left; and it refuses another number than the autoscaler's.
 *
 * @param before The release that is stable now.
 * @param pods Pods wanted of it.
 */
export function handover(
  objects: readonly KubernetesObject[],
  release: ReleaseRecord,
  before: ReleaseRecord | undefined,
  pods: number | undefined,
): Handover {
  const changes = before !== undefined && isScaled(before) !== isScaled(release);
  const workload = objects.find((each) => isServiceWorkload(each, release.service));
  if (!changes || pods === undefined || !workload) return { first: [], objects, last: [] };
  const { apiVersion, kind, metadata } = workload;
  const { name, namespace = release.namespace } = metadata;
  const bare: KubernetesObject = { apiVersion, kind, metadata: { name, namespace } };
  const first = [{ ...bare, spec: { replicas: pods } }];
  // It has it until the autoscaler sets another number.
  if (isScaled(release)) return { first, objects, last: [] };
  return { first, objects: withPods(objects, release.service, pods), last: [bare] };
}

/** A release's objects with this number of pods where an autoscaler had it until now. */
export function takenOver(
  objects: readonly KubernetesObject[],
  live: ReleaseRecord | undefined,
  pods: number | undefined,
): readonly KubernetesObject[] {
  if (!live || !isScaled(live) || pods === undefined) return objects;
  return isScaled({ ...live, objects }) ? objects : withPods(objects, live.service, pods);
}

/** Whether an autoscaler has the number of a release's pods. */
function isScaled({ objects, service }: Pick<ReleaseRecord, "objects" | "service">): boolean {
  const workload = objects.find((each) => isServiceWorkload(each, service));
  const spec = workload && readDeployment(workload);
  return typeof spec === "object" && spec.replicas === undefined;
}

function withPods(
  objects: readonly KubernetesObject[],
  service: string,
  pods: number,
): KubernetesObject[] {
  return objects.map((each) =>
    isServiceWorkload(each, service) ? withReplicas(each, pods) : each,
  );
}
