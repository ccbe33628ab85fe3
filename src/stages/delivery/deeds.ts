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
    api: summaryOf(service, track, number),
    until: { pattern: SETTLED, seconds: ROUND },
    every: 0.1,
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
        ...(first.length > 0 ? [apply(first, { manager: PODS_MANAGER, force: true })] : []),
        apply(objects),
        ...(last.length > 0 ? [apply(last, { manager: PODS_MANAGER })] : []),
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
          api: summaryOf(service, "canary", target),
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
  return { api: routeStatus(service), until, every: 0.1 };
}

/**
 * Server-side, under Slipway's own name: what others manage is refused, with who they are. Fields that
 * a kind does not have were looked for in the trial before.
 */
export function apply(
  items: readonly KubernetesObject[],
  {
    manager = "slipway",
    force = false,
  }: { readonly manager?: string; readonly force?: boolean } = {},
): Request {
  return { api: { apply: items, manager, force } };
}

/** Deletes objects, if they are there. */
export function remove(items: readonly KubernetesObject[]): Request {
  return { api: { delete: items.map((object) => ({ object })) } };
}

/** Deletes an object if Slipway has put its label on it: one of that name may be somebody else's. */
export function removeMarked(object: KubernetesObject): Request {
  return { api: { delete: [{ object, selector: `${MANAGED_BY}=slipway` }] } };
}

/** The Deployment goes last: as long as it is there, a run that was cut off here is seen to be unfinished. */
function removeCanary(service: string): Request {
  const selector = canarySelector(service);
  const kinds = ["v1/configmaps", "v1/services", "apps/v1/deployments"];
  return { api: { delete: kinds.map((kind) => ({ kind, selector })) } };
}
