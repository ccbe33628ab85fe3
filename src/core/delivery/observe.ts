import { leadsToItsPods, type SliceSeen } from "./endpoints.js";
import { DEFAULT_CONTAINER, NAME, RELEASE, TRACK, trackName, type Track } from "./objects/index.js";
import { readPods, troubleOf } from "./pods.js";
import { complaintOf, isTaken } from "./taken.js";
import type { Observation, Pod, Workload } from "./types.js";

/** An object as the API server gives it, as far as it is looked at. */
interface Seen {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly generation?: number;
    readonly deletionTimestamp?: string;
  };
  readonly spec?: unknown;
  readonly status?: unknown;
}

/** Annotation of the Service that says which weight its pods stand for, where no gateway weighs. */
export const WEIGHT = "slipway.dev/weight";

/** The objects in an answer: one, a list, or nothing. */
export function readObjects(text: string): unknown[] {
  if (text.trim() === "") return [];
  const value = JSON.parse(text) as { kind?: string; items?: unknown[] };
  return value.items ?? [value];
}

/** What is there of a service, out of its Deployments, Services, route and pods. */
export function observe(name: string, objects: readonly unknown[]): Observation {
  const seen = (objects as readonly Seen[]).filter(
    ({ metadata }) => metadata.deletionTimestamp === undefined,
  );
  const find = (kind: string, called: string) =>
    seen.find((each) => each.kind === kind && each.metadata.name === called);
  const own = seen.filter(
    ({ kind, metadata }) => kind === "Pod" && metadata.labels?.[NAME] === name,
  );
  const pods = readPods(own);
  const labelled = own.map(({ metadata }, index) => ({
    ...{ name: metadata.name, labels: metadata.labels ?? {} },
    ready: pods[index]?.ready ?? false,
  }));
  const slices = seen.filter(({ kind }) => kind === "EndpointSlice") as readonly SliceSeen[];
  const workload = (track: Track): Workload | undefined => {
    const deployment = find("Deployment", trackName(name, track));
    const reached = leadsToItsPods(find("Service", trackName(name, track)), labelled, slices);
    return deployment && workloadOf(deployment, { track, pods, reached });
  };
  const route = find("HTTPRoute", name);
  const service = find("Service", name);
  const shares = sharesOf(route, service, name);
  return {
    stable: workload("stable"),
    canary: workload("canary"),
    ...{ weight: shares.weight, exposed: shares.exposed },
    named: route === undefined || shares.names,
    routed: route === undefined || isTaken(route),
    ...(route && !isTaken(route) && { complaint: complaintOf(route) }),
    leftovers:
      shares.names ||
      seen.some(
        ({ kind, metadata }) =>
          kind !== "Pod" && kind !== "EndpointSlice" && metadata.labels?.[TRACK] === "canary",
      ),
    pods,
  };
}

interface DeploymentStatus {
  readonly observedGeneration?: number;
  readonly replicas?: number;
  readonly updatedReplicas?: number;
  readonly readyReplicas?: number;
  readonly availableReplicas?: number;
  readonly conditions?: readonly {
    type: string;
    status: string;
    reason?: string;
    message?: string;
  }[];
}

interface DeploymentSpec {
  readonly replicas?: number;
  readonly template?: {
    readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> };
    readonly spec?: { readonly containers?: readonly { name: string; image?: string }[] };
  };
}

function workloadOf(
  deployment: Seen,
  about: { readonly track: Track; readonly pods: readonly Pod[]; readonly reached: boolean },
): Workload {
  const { track, pods, reached } = about;
  const { metadata } = deployment;
  const spec = (deployment.spec ?? {}) as DeploymentSpec;
  const status = (deployment.status ?? {}) as DeploymentStatus;
  const { replicas = 1 } = spec;
  const { generation = 0 } = metadata;
  const release = Number(metadata.labels?.[RELEASE] ?? 0);
  const counts = [status.replicas, status.updatedReplicas, status.availableReplicas];
  const isCurrent = (status.observedGeneration ?? 0) >= generation;
  return {
    release,
    image: imageOf(spec),
    generation,
    replicas,
    available: status.readyReplicas ?? 0,
    complete: isCurrent && reached && counts.every((count = 0) => count === replicas),
    trouble: troubleOf(
      pods.filter((pod) => pod.track === track && pod.release === release),
      isCurrent ? (status.conditions ?? []) : [],
    ),
  };
}

/** The image of the service's own container, which others may stand before; without a word of it, of the first. */
function imageOf({ template }: DeploymentSpec): string {
  const { containers = [] } = template?.spec ?? {};
  const main = template?.metadata?.annotations?.[DEFAULT_CONTAINER] ?? containers[0]?.name;
  return containers.find(({ name }) => name === main)?.image ?? "";
}

interface Shares {
  readonly weight: number;
  readonly exposed: boolean;
  /** Whether the canary is named at all. */
  readonly names: boolean;
}

interface RouteSpec {
  readonly rules?: readonly {
    readonly matches?: readonly { readonly headers?: readonly unknown[] }[];
    readonly backendRefs?: readonly { readonly name: string; readonly weight?: number }[];
  }[];
}

function sharesOf(route: Seen | undefined, service: Seen | undefined, name: string): Shares {
  const byPods = sharesOfService(service);
  if (!route) return byPods;
  const byRoute = sharesOfRoute(route, name);
  // A route to a Service that selects the canary's pods goes there, whatever it says itself.
  return { ...byRoute, weight: Math.max(byRoute.weight, byPods.weight) };
}

/** The rule without a header weighs; one with a header leads to the canary. */
function sharesOfRoute(route: Seen, name: string): Shares {
  const { rules = [] } = (route.spec ?? {}) as RouteSpec;
  const canary = trackName(name, "canary");
  let weight = 0;
  let exposed = false;
  let names = false;
  for (const { matches = [], backendRefs = [] } of rules) {
    const total = backendRefs.reduce((sum, each) => sum + (each.weight ?? 1), 0);
    const share = backendRefs
      .filter((each) => each.name === canary)
      .reduce((sum, each) => sum + (each.weight ?? 1), 0);
    names ||= backendRefs.some((each) => each.name === canary);
    if (matches.some(({ headers = [] }) => headers.length > 0)) exposed ||= share > 0;
    else if (total > 0) weight = Math.max(weight, Math.round((share / total) * 1e5) / 1e3);
  }
  return { weight, exposed, names };
}

/** The Service selects the pods of one track, or of both: then its annotation has the weight. */
function sharesOfService(service: Seen | undefined): Shares {
  const { selector = {} } = (service?.spec ?? {}) as { selector?: Record<string, string> };
  const track = selector[TRACK];
  const said = service?.metadata.annotations?.[WEIGHT];
  // An earlier Slipway did not always let it select by the name: then the annotation alone tells.
  const isBoth = track === undefined && (NAME in selector || said !== undefined);
  const weight = isBoth ? Number(said ?? 50) : 0;
  return { weight: track === "canary" ? 100 : weight, exposed: false, names: false };
}
