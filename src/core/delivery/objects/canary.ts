import { DEFAULT_CONTAINER, labelsOf, TRACK, trackName, withMetadata, without } from "./labels.js";
import { readDeployment, readService, type DeploymentSpec, type ServiceSpec } from "./shape.js";
import type { KubernetesObject } from "./types.js";
import { isServiceWorkload, isServiceOf } from "./weights.js";

/** What makes a canary of a release's objects. */
export interface CanaryInputs {
  readonly name: string;
  readonly release: number;
  /** Number of its pods. */
  readonly replicas: number;
  /** By digest. @default that of the release's objects */
  readonly image?: string;
}

/** Keys of a pod's specification under which a ConfigMap is named. */
const CONFIG_MAP_KEYS = ["configMap", "configMapRef", "configMapKeyRef"];

/**
 * The canary of a release, out of its stable objects: a Deployment and a Service of its own, and copies
 * of the ConfigMaps that its pods read. Those of stable stay as they are until the release is promoted.
 */
export function canaryOf(
  objects: readonly KubernetesObject[],
  inputs: CanaryInputs,
): KubernetesObject[] {
  const { name, release } = inputs;
  const stable = objects.find((each) => isServiceWorkload(each, name));
  const service = objects.find((each) => isServiceOf(each, name));
  const spec = stable && readDeployment(stable);
  const port = service && readService(service);
  // Both were made or examined by `objectsOf`.
  if (!spec || !port || typeof spec === "string" || typeof port === "string")
    throw new Error(`There is no Deployment and Service "${name}" to make a canary of.`);
  const read = objects.filter(
    ({ kind, metadata }) => kind === "ConfigMap" && names(spec.template.spec, metadata.name),
  );
  const labels = labelsOf(name, release, "canary");
  return [
    ...read.map((map) => renamed(map, { ...map.metadata.labels, ...labels })),
    { ...renamed(stable, labels), spec: canarySpec(spec, read, inputs) },
    { ...renamed(service, labels), spec: canaryService(port) },
  ];
}

function renamed(object: KubernetesObject, labels: Record<string, string>): KubernetesObject {
  return withMetadata(
    {
      ...object,
      metadata: { ...object.metadata, name: trackName(object.metadata.name, "canary") },
    },
    { labels },
  );
}

function canarySpec(
  spec: DeploymentSpec,
  maps: readonly KubernetesObject[],
  { name, release, replicas, image }: CanaryInputs,
): Record<string, unknown> {
  const { selector, template } = spec;
  const { containers } = template.spec;
  const main = template.metadata.annotations?.[DEFAULT_CONTAINER] ?? containers[0]?.name;
  const copies = maps.map(({ metadata }) => metadata.name);
  return {
    ...spec,
    replicas,
    selector: { ...selector, matchLabels: { ...selector.matchLabels, [TRACK]: "canary" } },
    template: {
      ...template,
      metadata: {
        ...template.metadata,
        labels: { ...template.metadata.labels, ...labelsOf(name, release, "canary") },
      },
      spec: {
        ...(withCopies(template.spec, copies) as DeploymentSpec["template"]["spec"]),
        containers: containers.map((each) => ({
          ...(withCopies(each, copies) as typeof each),
          ...(each.name === main && image !== undefined && { image }),
        })),
      },
    },
  };
}

/** A Service inside of the cluster: what opens stable to the world is not repeated. */
function canaryService({ ports, selector }: ServiceSpec): Record<string, unknown> {
  return {
    type: "ClusterIP",
    ports: ports.map((port) => without(port, "nodePort")),
    selector: { ...selector, [TRACK]: "canary" },
  };
}

/** Whether a part of a pod's specification names a ConfigMap. */
function names(part: unknown, map: string): boolean {
  return JSON.stringify(withCopies(part, [map])) !== JSON.stringify(part);
}

/** The same with the canary's copies in place of the ConfigMaps of these names. */
function withCopies(part: unknown, maps: readonly string[]): unknown {
  if (Array.isArray(part)) return part.map((each) => withCopies(each, maps));
  if (typeof part !== "object" || part === null) return part;
  return Object.fromEntries(
    Object.entries(part).map(([key, value]) => [key, withCopies(copied(key, value, maps), maps)]),
  );
}

function copied(key: string, value: unknown, maps: readonly string[]): unknown {
  if (!CONFIG_MAP_KEYS.includes(key) || typeof value !== "object" || value === null) return value;
  const { name } = value as { name?: unknown };
  const isCopied = typeof name === "string" && maps.includes(name);
  return isCopied ? { ...value, name: trackName(name, "canary") } : value;
}
