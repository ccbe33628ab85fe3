import {
  canaryObjects,
  canarySelector,
  sharing,
  stableHandover,
} from "../../core/delivery/changes.js";
import { MANAGED_BY, type KubernetesObject } from "../../core/delivery/objects/index.js";
import { ROUTED, routeStatus, SETTLED, summaryOf, UNSETTLED } from "../../core/delivery/queries.js";
import { PODS_MANAGER } from "../../core/delivery/scaling.js";
import type { ReleaseRecord } from "../../core/delivery/types.js";
import { Stuck, type Deed, type Hands } from "../../core/delivery/world.js";
import type { Request } from "../kubectl.js";

/** Seconds that one execution waits at most: the lease has to be renewed in between. */
export const ROUND = 8;

/** Seconds for the gateway to take over a route. */
const ROUTING = 5;

/** The service that something is done to. */
interface Place {
  readonly service: string;
  /** Whether the cluster knows routes of a gateway. */
  readonly hasGateway: boolean;
}

/** What a deed asks of the cluster, one after the other. */
export function requestsOf(
  deed: Deed,
  { seen, release, routes }: Hands,
  { service, hasGateway }: Place,
): Request[] {
  const isRouted = (record: ReleaseRecord | undefined): record is ReleaseRecord =>
    hasGateway && record?.config.route.gateway !== undefined;
  const target = release?.number ?? 0;
  const settled = (track: "stable" | "canary", number: number): Request => ({
    args: summaryOf(service, track, number),
    until: { pattern: SETTLED, seconds: ROUND },
    every: 0.2,
  });
  switch (deed.do) {
    case "apply canary": {
      if (!release) return [];
      const { weight, exposed } = seen;
      const named =
        isRouted(routes) && !seen.named
          ? sharing(routes, release, { weight, exposed, leftovers: true })
          : [];
      return [
        apply(canaryObjects(release, deed.replicas)),
        ...(named.length > 0 ? [apply(named)] : []),
        settled("canary", deed.release),
      ];
    }
    case "apply stable": {
      if (!release) throw new Stuck(`release ${deed.release} is not recorded any more`);
      const { first, objects, last } = stableHandover(release, seen, routes);
      // Beside a Deployment that stays there is nothing to wait for.
      if (seen.stable?.release === deed.release) return objects.length > 0 ? [apply(objects)] : [];
      return [
        ...(first.length > 0 ? [apply(first, ["--force-conflicts"], PODS_MANAGER)] : []),
        apply(objects),
        ...(last.length > 0 ? [apply(last, [], PODS_MANAGER)] : []),
        settled("stable", deed.release),
      ];
    }
    case "weigh": {
      if (!routes) return [];
      const { weight, exposed } = deed;
      const shares = { weight, exposed, leftovers: seen.canary !== undefined };
      // A gateway mostly takes milliseconds: whoever looks then sees that it has taken over the route.
      return [apply(sharing(routes, release, shares))];
    }
    case "await": {
      if (deed.track === "route") return [routed(service)];
      const wanted = deed.track === "stable" ? seen.stable?.release : seen.canary?.release;
      return [settled(deed.track, wanted ?? target)];
    }
    case "wait":
      if (deed.why === "drain") return [];
      return [
        {
          args: summaryOf(service, "canary", target),
          until: { pattern: UNSETTLED, seconds: Math.min(deed.seconds, ROUND) },
          every: Math.min(2, deed.seconds),
        },
      ];
    case "forget canary":
    case "remove canary": {
      const unweighed = { weight: 0, exposed: false, leftovers: false };
      const forgotten = isRouted(routes) ? sharing(routes, release, unweighed) : [];
      return [
        ...(forgotten.length > 0 ? [apply(forgotten)] : []),
        ...(deed.do === "remove canary" ? [removeCanary(service)] : []),
      ];
    }
    case "remove all":
      return [...(release ? [remove(release.objects)] : []), removeCanary(service)];
  }
}

/** Waits for the gateway, which mostly takes milliseconds. */
function routed(service: string): Request {
  const until = { pattern: ROUTED, seconds: ROUTING };
  return { args: routeStatus(service), until, every: 0.1 };
}

/** Flags of a deletion that does not mind, and does not wait. */
export const GONE = ["--ignore-not-found", "--wait=false"];

/**
 * Server-side, under Slipway's own name: what others manage is refused, with who they are. Fields that
 * a kind does not have were looked for in the trial before: kubectl reads the cluster's whole schema
 * for it each time, which takes longer than all else that it does.
 */
export function apply(
  items: readonly KubernetesObject[],
  flags: readonly string[] = [],
  manager = "slipway",
): Request {
  return {
    args: [
      ...["apply", "--server-side", `--field-manager=${manager}`, ...flags],
      ...["--validate=ignore", "--filename=-", "--output=name"],
    ],
    input: JSON.stringify({ apiVersion: "v1", kind: "List", items }),
  };
}

/** Deletes objects, if they are there. */
export function remove(items: readonly KubernetesObject[]): Request {
  return {
    args: ["delete", "--filename=-", ...GONE],
    input: JSON.stringify({ apiVersion: "v1", kind: "List", items }),
  };
}

/** Deletes an object if Slipway has put its label on it: one of that name may be somebody else's. */
export function removeMarked({ apiVersion, kind, metadata }: KubernetesObject): Request {
  const [version = "", group] = apiVersion.split("/").reverse();
  const type = [kind.toLowerCase(), ...(group === undefined ? [] : [version, group])].join(".");
  return {
    args: [
      ...["delete", type, `--field-selector=metadata.name=${metadata.name}`],
      ...[`--selector=${MANAGED_BY}=slipway`, ...GONE],
    ],
  };
}

/** The Deployment goes last: as long as it is there, a run that was cut off here is seen to be unfinished. */
function removeCanary(service: string): Request {
  return {
    args: [
      ...["delete", "configmaps,services,deployments.apps"],
      ...[`--selector=${canarySelector(service)}`, ...GONE],
    ],
  };
}
