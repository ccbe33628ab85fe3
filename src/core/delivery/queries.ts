import type { ApiRequest } from "./api.js";
import { NAME, RELEASE, TRACK, trackName, type Track } from "./objects/index.js";
import { HOPELESS_PATTERN } from "./pods.js";

const DEPLOYMENTS = "apps/v1/deployments";
const SERVICES = "v1/services";
const PODS = "v1/pods";
const ROUTES = "gateway.networking.k8s.io/v1/httproutes";

/** They have their Service's labels. */
const SLICES = "discovery.k8s.io/v1/endpointslices";

/** What is asked so that `observe` knows the service: by label. */
export function observation(name: string, hasGateway: boolean): ApiRequest {
  const kinds = [DEPLOYMENTS, SERVICES, PODS, SLICES, ...(hasGateway ? [ROUTES] : [])];
  return { all: kinds.map((kind) => ({ kind, selector: `${NAME}=${name}` })) };
}

/** The same by name, which finds what Slipway did not make too. */
export function observations(name: string, hasGateway: boolean): ApiRequest {
  const named = (["stable", "canary"] as const).flatMap((track) =>
    [DEPLOYMENTS, SERVICES].map((kind) => ({ kind, name: trackName(name, track) })),
  );
  const labelled = [PODS, SLICES].map((kind) => ({ kind, selector: `${NAME}=${name}` }));
  return { all: [...named, ...(hasGateway ? [{ kind: ROUTES, name }] : []), ...labelled] };
}

/**
 * Asks for a summary of one release on one track: a line for its Deployment, with what has to be equal
 * when it is complete, and one a pod.
 */
export function summaryOf(name: string, track: Track, release: number): ApiRequest {
  const selector = `${NAME}=${name},${TRACK}=${track},${RELEASE}=${release}`;
  return { all: [DEPLOYMENTS, PODS].map((kind) => ({ kind, selector })), as: "summary" };
}

const EQUAL = "(\\d+) \\1 (\\d+) \\2 \\2 \\2 ;";

/** Matches a summary when waiting can end: the pods are ready, or never will be. */
export const SETTLED = `^D ${EQUAL}|${HOPELESS_PATTERN}`;

/** Matches a summary when pods are not ready that were. */
export const UNSETTLED = `^D (?!${EQUAL})|${HOPELESS_PATTERN}`;

/** Asks for the summary of the route: whether the gateway has taken it over as it is now. */
export function routeStatus(name: string): ApiRequest {
  return { all: [{ kind: ROUTES, name }], as: "summary" };
}

/** Matches that answer when it has. */
export const ROUTED = "^R (\\d+) (?=.*Accepted=True=\\1)(?=.*ResolvedRefs=True=\\1)";
