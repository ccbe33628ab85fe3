import { NAME } from "./objects/index.js";

/** A Service as the API server has it. */
export interface ServiceSeen {
  readonly metadata: { readonly name: string };
  readonly spec?: unknown;
}

/** A pod that is not about to end. */
export interface PodSeen {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly ready: boolean;
}

/** A slice of the places that a Service leads to. */
export interface SliceSeen {
  readonly metadata: { readonly labels?: Readonly<Record<string, string>> };
  readonly addressType?: string;
  readonly endpoints?:
    | readonly {
        readonly conditions?: { readonly ready?: boolean | null } | undefined;
        readonly targetRef?: { readonly name?: string } | undefined;
      }[]
    | null;
}

/** Label by which a slice names its Service. */
const OF = "kubernetes.io/service-name";

/**
 * Whether a Service leads to just those of its pods that are ready. What keeps the slices may be
 * behind by minutes after the API server was away several times: it asks again after pauses that
 * double up to a minute, and meanwhile a gateway sends requests to pods that are gone. Services that
 * select by other labels than Slipway's are taken at their word: not all of their pods are known here.
 */
export function leadsToItsPods(
  service: ServiceSeen | undefined,
  pods: readonly PodSeen[],
  slices: readonly SliceSeen[],
): boolean {
  const { selector = {}, publishNotReadyAddresses = false } = (service?.spec ?? {}) as {
    readonly selector?: Readonly<Record<string, string>>;
    readonly publishNotReadyAddresses?: boolean;
  };
  if (!service || !(NAME in selector) || publishNotReadyAddresses) return true;
  const own = slices.filter(({ metadata }) => metadata.labels?.[OF] === service.metadata.name);
  const wanted = pods
    .filter(({ ready, labels }) => ready && matches(selector, labels))
    .map(({ name }) => name);
  // Each family of addresses has slices of its own, and all pods in them.
  const families = new Set(own.map(({ addressType = "" }) => addressType));
  if (families.size === 0) return wanted.length === 0;
  return [...families].every((family) => {
    const led = own
      .filter(({ addressType = "" }) => addressType === family)
      .flatMap(({ endpoints }) => endpoints ?? [])
      .filter(({ conditions }) => conditions?.ready !== false)
      .map(({ targetRef }) => targetRef?.name ?? "");
    return new Set(led).size === wanted.length && wanted.every((name) => led.includes(name));
  });
}

function matches(
  selector: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value);
}
