import { NAME, RELEASE, TRACK, trackName, type Track } from "./objects/index.js";
import { HOPELESS_PATTERN } from "./pods.js";

/** Full name of the kind, since others have routes too. */
const ROUTES = "httproutes.gateway.networking.k8s.io";

/** They have their Service's labels. */
const SLICES = "endpointslices.discovery.k8s.io";

/** What kubectl is asked so that `observe` knows the service: by label, in one call. */
export function observation(name: string, hasGateway: boolean): string[] {
  const kinds = ["deployments.apps", "services", "pods", SLICES, ...(hasGateway ? [ROUTES] : [])];
  return ["get", kinds.join(","), `--selector=${NAME}=${name}`, "--output=json"];
}

/** The same by name, which finds what Slipway did not make too: one call each. */
export function observations(name: string, hasGateway: boolean): string[][] {
  const objects = [
    ...(["stable", "canary"] as const).flatMap((track) => [
      `deployments.apps/${trackName(name, track)}`,
      `services/${trackName(name, track)}`,
    ]),
    ...(hasGateway ? [`${ROUTES}/${name}`] : []),
  ];
  return [
    ["get", ...objects, "--ignore-not-found", "--output=json"],
    ["get", `pods,${SLICES}`, `--selector=${NAME}=${name}`, "--output=json"],
  ];
}

/** One line for the Deployment of a release, with what has to be equal when it is complete, and one a pod. */
const SUMMARY = [
  "{{range .items}}",
  '{{if eq .kind "Deployment"}}D {{.metadata.generation}} {{.status.observedGeneration}} {{.spec.replicas}} {{.status.updatedReplicas}} {{.status.replicas}} {{.status.availableReplicas}} ;',
  "{{range .status.conditions}} {{.type}}={{.status}} {{.reason}}{{end}}",
  "{{else}}P {{.status.phase}}",
  "{{range .status.initContainerStatuses}}{{with .state.waiting}} {{.reason}}{{end}}{{end}}",
  "{{range .status.containerStatuses}}{{with .state.waiting}} {{.reason}}{{end}}{{end}}",
  '{{end}}{{"\\n"}}{{end}}',
].join("");

/** Asks for that summary of one release on one track. */
export function summaryOf(name: string, track: Track, release: number): string[] {
  const selector = `${NAME}=${name},${TRACK}=${track},${RELEASE}=${release}`;
  return [
    "get",
    "deployments.apps,pods",
    `--selector=${selector}`,
    `--output=go-template=${SUMMARY}`,
  ];
}

const EQUAL = "(\\d+) \\1 (\\d+) \\2 \\2 \\2 ;";

/** Matches a summary when waiting can end: the pods are ready, or never will be. */
export const SETTLED = `^D ${EQUAL}|${HOPELESS_PATTERN}`;

/** Matches a summary when pods are not ready that were. */
export const UNSETTLED = `^D (?!${EQUAL})|${HOPELESS_PATTERN}`;

/** Asks whether the gateway has taken over the route as it is now. */
export function routeStatus(name: string): string[] {
  const template =
    "R {{.metadata.generation}}{{range .status.parents}}{{range .conditions}} {{.type}}={{.status}}={{.observedGeneration}}{{end}}{{end}}";
  return ["get", `${ROUTES}/${name}`, `--output=go-template=${template}`];
}

/** Matches that answer when it has. */
export const ROUTED = "^R (\\d+) (?=.*Accepted=True=\\1)(?=.*ResolvedRefs=True=\\1)";
