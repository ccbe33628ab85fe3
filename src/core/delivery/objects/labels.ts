import type { KubernetesObject, Track } from "./types.js";

/** The service's name, on everything that is part of it. */
export const NAME = "app.kubernetes.io/name";
/** Which of the two Deployments. */
export const TRACK = "slipway.dev/track";
/** Number of the release. */
export const RELEASE = "slipway.dev/release";
/** Who looks after an object. */
export const MANAGED_BY = "app.kubernetes.io/managed-by";
/** Annotation of pods: the container that runs the service, which `kubectl logs` shows too. */
export const DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container";

/** Labels by which pods of one track are found; they never change, as selectors of a Deployment must not. */
export function selectorOf(name: string, track?: Track): Record<string, string> {
  return { [NAME]: name, ...(track && { [TRACK]: track }) };
}

/** All labels of an object or a pod. */
export function labelsOf(name: string, release: number, track: Track): Record<string, string> {
  return {
    ...selectorOf(name, track),
    [MANAGED_BY]: "slipway",
    [RELEASE]: String(release),
  };
}

/** Name of a track's Deployment and Service. */
export function trackName(name: string, track: Track): string {
  return track === "stable" ? name : `${name}-canary`;
}

/** The object with further labels and annotations, which win over its own. */
export function withMetadata(
  object: KubernetesObject,
  more: {
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  },
): KubernetesObject {
  const { labels, annotations, namespace, ...rest } = object.metadata;
  const inNamespace = more.namespace ?? namespace;
  const ours = { ...annotations, ...more.annotations };
  return {
    ...object,
    metadata: {
      ...rest,
      ...(inNamespace !== undefined && { namespace: inNamespace }),
      labels: { ...labels, ...more.labels },
      ...(Object.keys(ours).length > 0 && { annotations: ours }),
    },
  };
}

/** A record without one of its keys. */
export function without<T>(record: Readonly<Record<string, T>>, key: string): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter(([name]) => name !== key));
}
