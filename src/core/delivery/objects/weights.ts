import type { Config } from "../../config/schema.js";
import { selectorOf, TRACK, without } from "./labels.js";
import type { KubernetesObject, Router, Track } from "./types.js";

/** How many pods each track has at a weight, and the share of the requests that the canary then really gets. */
export interface Pods {
  readonly stable: number;
  readonly canary: number;
  /** Percent. */
  readonly percent: number;
}

/** Where the weights are set: at a Gateway when there is one. */
export function routerOf({ route }: Pick<Config["deploy"], "route">): Router {
  return route.gateway === undefined ? "replicas" : "gateway";
}

/**
 * The pods of both tracks at a weight. Stable keeps all of its pods, so that everything can go back
 * to it at once.
 *
 * A Gateway sends exactly the share that was asked for; the canary has as many pods as that share
 * needs, one at least. Without one, the Service sends each pod the same: the canary gets the number
 * of pods that comes nearest, which is at least one and at most as many as stable has. So nothing
 * between 0 and the first pod's share is possible, nor between 50 and 100 %: at 0 and at 100 the
 * Service selects one track alone (see `serviceFor`).
 */
export function replicasFor(router: Router, replicas: number, weight: number): Pods {
  if (weight >= 100) return { stable: replicas, canary: replicas, percent: 100 };
  if (router === "gateway") {
    // Against 28.999999999999996 for 29 % of 100.
    const needed = Math.ceil(Number(((replicas * weight) / 100).toFixed(6)));
    return { stable: replicas, canary: Math.max(1, needed), percent: weight };
  }
  if (weight <= 0) return { stable: replicas, canary: 1, percent: 0 };
  const most = Math.max(1, replicas);
  const canary = Array.from({ length: most }, (_, index) => index + 1).reduce((best, count) =>
    distance(count, replicas, weight) < distance(best, replicas, weight) ? count : best,
  );
  return { stable: replicas, canary, percent: share(canary, replicas) };
}

/** The percentage of the requests that the canary really gets when `weight` is asked for. */
export function realWeight(router: Router, replicas: number, weight: number): number {
  return replicasFor(router, replicas, weight).percent;
}

/** The same Deployment with so many pods. */
export function withReplicas(object: KubernetesObject, replicas: number): KubernetesObject {
  return { ...object, spec: { ...(object.spec as Record<string, unknown>), replicas } };
}

/**
 * The stable Service as it has to be at a weight when no Gateway shares the requests: it selects the
 * pods of both tracks, at 0 those of stable alone, at 100 those of the canary alone. To change what it
 * selects takes effect at once, in both directions.
 *
 * It always selects by the service's name too, which all pods of both tracks have as a label: by that
 * a Service that selects both is told from one that nobody shares.
 */
export function serviceFor(service: KubernetesObject, weight: number): KubernetesObject {
  const track: Track | undefined = weight <= 0 ? "stable" : weight >= 100 ? "canary" : undefined;
  const spec = service.spec as Record<string, unknown>;
  const own = without((spec.selector ?? {}) as Record<string, string>, TRACK);
  return {
    ...service,
    spec: { ...spec, selector: { ...own, ...selectorOf(service.metadata.name, track) } },
  };
}

/** Whether an object is the Service that requests reach a service by. */
export function isServiceOf(object: KubernetesObject, name: string): boolean {
  return object.kind === "Service" && object.metadata.name === name;
}

/** Whether an object is the Deployment of a service. */
export function isServiceWorkload(object: KubernetesObject, name: string): boolean {
  return object.kind === "Deployment" && object.metadata.name === name;
}

function share(canary: number, stable: number): number {
  return Math.round((canary / (canary + stable)) * 10_000) / 100;
}

function distance(canary: number, stable: number, weight: number): number {
  return Math.abs(share(canary, stable) - weight);
}
