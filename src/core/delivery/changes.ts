import {
  canaryOf,
  isRouter,
  isServiceWorkload,
  NAME,
  RELEASE,
  routeOf,
  routerOf,
  serviceFor,
  TRACK,
  type KubernetesObject,
} from "./objects/index.js";
import { WEIGHT } from "./observe.js";
import { openToBoth } from "./ports.js";
import { handover, type Handover } from "./scaling.js";
import type { Observation, ReleaseRecord } from "./types.js";

/** The canary's objects of a release. */
export function canaryObjects(release: ReleaseRecord, replicas: number): KubernetesObject[] {
  const { objects, service: name, number, reference: image } = release;
  return canaryOf(objects, { name, release: number, replicas, image });
}

/** How the requests are shared. */
type Shares = Pick<Observation, "weight" | "exposed" | "leftovers">;

/**
 * Everything of a release as the stable one, while the requests go on being shared as they are. A
 * Deployment that is of the release already was applied whole, and somebody may have scaled it since:
 * it is left out.
 *
 * @param before The release that is stable now, whose pods serve until new ones are ready.
 */
export function stableObjects(
  release: ReleaseRecord,
  seen: Shares & Pick<Observation, "stable">,
  before?: ReleaseRecord,
): KubernetesObject[] {
  const { objects, service: name, config, number } = release;
  const router = routerOf(config);
  const isThere = (object: KubernetesObject): boolean =>
    seen.stable?.release === number && isServiceWorkload(object, name);
  const rest = objects.filter((object) => !isRouter(object, name, router) && !isThere(object));
  return [...openToBoth(rest, release, before), ...sharing(release, release, seen)];
}

/**
 * What is applied so that a release becomes the stable one, in its order: a trial of it is of the same.
 *
 * @param before The release that is stable now.
 */
export function stableHandover(
  release: ReleaseRecord,
  seen: Shares & Pick<Observation, "stable">,
  before: ReleaseRecord | undefined,
): Handover {
  const objects = stableObjects(release, seen, before);
  const quick = release.kind === "rollback" ? atOnce(objects, release.service) : objects;
  return handover(quick, release, before, seen.stable?.replicas);
}

/**
 * What shares the requests: the HTTPRoute, or the Service where no gateway does.
 *
 * @param routes The release whose route it is.
 * @param tried The release that says which header leads to the canary.
 */
export function sharing(
  routes: ReleaseRecord,
  tried: ReleaseRecord | undefined,
  { weight, exposed, leftovers }: Shares,
): KubernetesObject[] {
  const { objects, service: name, namespace, port, config } = routes;
  const router = routerOf(config);
  if (router === "replicas")
    return objects
      .filter((object) => isRouter(object, name, router))
      .map((object) => serviceFor(withWeight(object, weight), weight));
  const header = tried?.config.route.header ?? config.route.header;
  const route = routeOf({
    ...{ name, namespace, port, weight },
    config: { ...config, route: { ...config.route, header } },
    hasCanary: leftovers,
    header: exposed,
  });
  return route ? [route] : [];
}

function withWeight(service: KubernetesObject, weight: number): KubernetesObject {
  const { annotations, ...metadata } = service.metadata;
  const ours = { ...annotations, [WEIGHT]: String(weight) };
  return { ...service, metadata: { ...metadata, annotations: ours } };
}

/** Selects all that a canary has. */
export function canarySelector(name: string): string {
  return `${NAME}=${name},${TRACK}=canary`;
}

/** The objects of a recorded release under another number: what a rollback applies. */
export function renumbered(
  objects: readonly KubernetesObject[],
  number: number,
): KubernetesObject[] {
  const again = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(again);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, each]) => [
        key,
        key === RELEASE ? String(number) : again(each),
      ]),
    );
  };
  return objects.map((object) => again(object) as KubernetesObject);
}

/** As many new pods at once as there are old ones: back quickly, and never with fewer. */
export function atOnce(objects: readonly KubernetesObject[], name: string): KubernetesObject[] {
  return objects.map((object) => {
    if (object.kind !== "Deployment" || object.metadata.name !== name) return object;
    const rollingUpdate = { maxUnavailable: 0, maxSurge: "100%" };
    const strategy = { type: "RollingUpdate", rollingUpdate };
    return { ...object, spec: { ...(object.spec as object), strategy } };
  });
}
