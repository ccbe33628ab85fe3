import { plural } from "../text.js";
import { routerOf } from "./objects/index.js";
import { shareText, type Step } from "./steps.js";
import type { ReleaseRecord } from "./types.js";

/** What a deployment would do. */
export interface Planned {
  /** The release as it would be recorded. */
  readonly release: ReleaseRecord;
  readonly live: ReleaseRecord | undefined;
  readonly steps: readonly Step[];
  /** Why there would be no canary. */
  readonly noCanary: string | undefined;
  /** What stands in the way by now. */
  readonly obstacle: string | undefined;
}

/** What a deployment would do, for a terminal. */
export function planText({ release, live, steps, noCanary, obstacle }: Planned): string {
  const { number, service, namespace, reference, tag, model, verified, config, objects } = release;
  const { keep } = config;
  const gateway = config.route.gateway;
  const router =
    gateway === undefined
      ? "the Service, by whole pods: no Gateway (deploy.route.gateway)"
      : `Gateway ${gateway}, by exact weights`;
  return [
    `release ${number} of ${service} in namespace ${namespace}`,
    `  image    ${reference}${tag === undefined ? "" : ` (${tag})`}, ${verified}`,
    `  model    ${model?.uri ?? "none"}`,
    `  live     ${live ? `release ${live.number}, ${live.tag ?? live.reference}` : "none"}`,
    ...(obstacle === undefined ? [] : [`  BUT      ${obstacle}`]),
    `  requests are shared by ${router}`,
    "",
    ...(noCanary === undefined ? steps.map(stepText) : [`no canary: ${noCanary}`]),
    ...(noCanary === undefined
      ? [
          ...(steps.some(({ weight }) => weight >= 100) ? [] : ["then 100 % to the canary"]),
          `then ${keep} s in which the old pods are kept, the release becomes stable (${pods(release.replicas)}, new ones before old ones go), and the canary is removed`,
        ]
      : [
          `the release becomes stable: ${pods(release.replicas)}, ready within ${config.deadline} s`,
        ]),
    "",
    "objects:",
    ...objects.map(({ kind, metadata }) => `  ${kind}/${metadata.name}`),
    ...(noCanary === undefined ? canaryLines(service, routerOf(config) === "gateway") : []),
    "",
    "Nothing was changed.",
    "",
  ].join("\n");
}

function stepText(step: Step, index: number): string {
  const { replicas, pause, analysis, exposed } = step;
  return [
    `${index + 1}. ${shareText(step)} of the requests to ${pods(replicas)} of the canary`,
    ...(exposed ? ["reached by the header too"] : []),
    ...(pause > 0 ? [`${pause} s`] : []),
    analysis ? "then analysed" : "not analysed",
  ].join(", ");
}

function canaryLines(service: string, hasRoute: boolean): string[] {
  const changed = hasRoute ? `HTTPRoute/${service}` : `Service/${service}`;
  return [
    `  for the time of the canary: Deployment/${service}-canary, Service/${service}-canary; ${changed} shares the requests`,
  ];
}

function pods(count: number): string {
  return plural(count, "pod");
}
