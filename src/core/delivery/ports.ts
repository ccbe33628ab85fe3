import {
  podPortOf,
  portIn,
  portsOf,
  routerOf,
  targetOf,
  type KubernetesObject,
} from "./objects/index.js";
import type { ReleaseRecord } from "./types.js";

/** Port at which a release's pods are asked, past their Service. */
export function podPort({ objects, service, port }: ReleaseRecord): number {
  return podPortOf(objects, service) ?? port;
}

/**
 * Why the pods of a release cannot get requests beside those of the live one; undefined when they can.
 * Until it is stable, the NetworkPolicy opens the port of the live one alone, and where no gateway
 * shares the requests it is the live one's Service that leads to both.
 */
export function portsApart(live: ReleaseRecord, release: ReleaseRecord): string | undefined {
  const [from, to] = [podPort(live), podPort(release)];
  if (from !== to)
    return `its pods listen on port ${to}, those of release ${live.number} on ${from}, and only one of both is open until it is stable`;
  return routerOf(live.config) === "gateway" || leads(live, release)
    ? undefined
    : `the Service of release ${live.number} does not lead to port ${to} of its pods (targetPort)`;
}

/** Requests that would fail for the ports of a release. */
export interface Lost {
  readonly why: string;
  /** How to go about it so that none does. */
  readonly instead: string;
}

/**
 * Why requests would fail while a release takes the place of the live one; undefined when none would.
 *
 * @param hasCanary Whether all requests are its canary's when it becomes stable.
 */
export function portsLost(
  live: ReleaseRecord,
  release: ReleaseRecord,
  hasCanary: boolean,
): Lost | undefined {
  const { objects, service } = release;
  const ports = portsOf(objects, service);
  if (ports.length > 0 && !ports.includes(live.port))
    return {
      why: `requests come by port ${live.port} of the Service, and it would have ${ports.join(", ")} alone`,
      instead: `Keep ${live.port} in it beside the new port, which may come first, and leave it out in a later release`,
    };
  if (hasCanary) return undefined;
  // A canary has its Service for long when requests come by it; the stable one's new port would not.
  if (ports.length > 0 && release.port !== live.port)
    return {
      why: `requests would come by port ${release.port} of the Service, not by ${live.port}, from the moment that it has it`,
      instead: `Let ${live.port} come first in it, and change that in a release of its own`,
    };
  if (leads(release, live)) return undefined;
  const [from, to] = [podPort(live), podPort(release)];
  return {
    why: `the Service would lead to port ${targetOf(objects, service) ?? to} of the pods, and those of release ${live.number}, which serve until new ones are ready, have ${from} as ${targetOf(live.objects, service) ?? from}`,
    instead:
      from === to
        ? `Let the Service's targetPort be the number ${to} in a release of its own, and then the name`
        : `Give the port a name in the Deployment, let the Service's targetPort be that name, and release that with ${from} before ${to}`,
  };
}

/** Whether the Service of one release leads to the pods of another. */
function leads(one: ReleaseRecord, other: ReleaseRecord): boolean {
  const { objects, service } = other;
  return portIn(objects, service, targetOf(one.objects, service)) === podPortOf(objects, service);
}

/**
 * The objects of a release that becomes stable where pods of another one still serve: who may reach its
 * port may reach theirs, too. The next release that becomes stable closes it.
 */
export function openToBoth(
  objects: readonly KubernetesObject[],
  release: ReleaseRecord,
  other: ReleaseRecord | undefined,
): KubernetesObject[] {
  const [to, from] = [podPort(release), podPort(other ?? release)];
  return objects.map((object) =>
    object.kind === "NetworkPolicy" && from !== to ? opened(object, to, from) : object,
  );
}

interface PolicySpec {
  readonly ingress?: readonly { readonly ports?: readonly PolicyPort[] }[];
}

interface PolicyPort {
  readonly port?: number | string;
  readonly endPort?: number;
}

function opened(policy: KubernetesObject, to: number, from: number): KubernetesObject {
  const spec = policy.spec as PolicySpec | undefined;
  if (!spec?.ingress) return policy;
  const ingress = spec.ingress.map((rule) => {
    const { ports = [] } = rule;
    const entry = ports.find((each) => opens(each, to));
    if (!entry || ports.some((each) => opens(each, from))) return rule;
    return { ...rule, ports: [...ports, { ...entry, port: from, endPort: undefined }] };
  });
  return { ...policy, spec: { ...spec, ingress } };
}

function opens({ port, endPort }: PolicyPort, wanted: number): boolean {
  return typeof port === "number" && port <= wanted && wanted <= (endPort ?? port);
}
