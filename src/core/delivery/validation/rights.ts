import * as z from "zod";
import type { KubernetesObject } from "../objects/index.js";
import { documents } from "../rendered.js";
import { failed, passed, type Finding, type Said } from "./findings.js";
import { parsed, reason } from "./server.js";

/** Something that a deployment does in the cluster. */
export interface Right {
  /** API group; empty for the core one. */
  readonly group: string;
  /** Plural: `deployments`, `pods/log`. */
  readonly resource: string;
  readonly verb: string;
}

const APPLY = ["get", "list", "create", "patch"];

/** An object goes when a release has it no more, and all of them with a first release that failed. */
const OWN = [...APPLY, "delete"];

/** What every deployment does, by resource. */
const ALWAYS: Readonly<Record<string, readonly string[]>> = {
  "deployments.apps": OWN,
  services: OWN,
  configmaps: ["list", "delete"],
  // Releases are kept in them.
  secrets: OWN,
  "leases.coordination.k8s.io": ["get", "create", "patch"],
  pods: ["get", "list"],
  "pods/log": ["get"],
  "pods/portforward": ["get", "create"],
  events: ["list"],
  "endpointslices.discovery.k8s.io": ["list"],
};

/** Plurals of the kinds that services are made of; what is not here, the trial of the objects tells of. */
const PLURALS: Readonly<Record<string, string>> = {
  ConfigMap: "configmaps",
  CronJob: "cronjobs.batch",
  Deployment: "deployments.apps",
  HTTPRoute: "httproutes.gateway.networking.k8s.io",
  HorizontalPodAutoscaler: "horizontalpodautoscalers.autoscaling",
  Ingress: "ingresses.networking.k8s.io",
  Job: "jobs.batch",
  NetworkPolicy: "networkpolicies.networking.k8s.io",
  PersistentVolumeClaim: "persistentvolumeclaims",
  PodDisruptionBudget: "poddisruptionbudgets.policy",
  Role: "roles.rbac.authorization.k8s.io",
  RoleBinding: "rolebindings.rbac.authorization.k8s.io",
  Service: "services",
  ServiceAccount: "serviceaccounts",
  StatefulSet: "statefulsets.apps",
};

/** Everything that a deployment of these objects does, each once. */
export function rightsNeeded(objects: readonly Pick<KubernetesObject, "kind">[]): Right[] {
  const wanted = new Map(Object.entries(ALWAYS).map(([name, verbs]) => [name, new Set(verbs)]));
  for (const { kind } of objects) {
    const name = PLURALS[kind];
    if (name === undefined) continue;
    wanted.set(name, new Set([...(wanted.get(name) ?? []), ...OWN]));
  }
  return [...wanted].flatMap(([name, verbs]) => {
    const [resource = "", ...group] = name.split(".");
    return [...verbs].map((verb) => ({ group: group.join("."), resource, verb }));
  });
}

/** What is created to ask whether the caller has these rights in a namespace. */
export function reviews(rights: readonly Right[], namespace: string): object[] {
  return rights.map(({ group, resource, verb }) => {
    const [name = "", subresource] = resource.split("/");
    const attributes = { namespace, verb, group, resource: name };
    return {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectAccessReview",
      spec: {
        resourceAttributes: { ...attributes, ...(subresource !== undefined && { subresource }) },
      },
    };
  });
}

const review = z.looseObject({
  spec: z.looseObject({
    resourceAttributes: z.looseObject({
      verb: z.string(),
      group: z.string().default(""),
      resource: z.string(),
      subresource: z.string().optional(),
    }),
  }),
  status: z.looseObject({ allowed: z.boolean() }),
});

/** Which of the rights the caller lacks; one without an answer counts as lacking. */
export function rightsFinding(rights: readonly Right[], said: Said): Finding {
  if (said?.exitCode !== 0) return failed("rights", `not known: ${reason(said)}`);
  const allowed = new Set(
    documents(said.stdout).flatMap((document) => {
      const read = parsed(review, document);
      if (read?.status.allowed !== true) return [];
      const { verb, group, resource, subresource } = read.spec.resourceAttributes;
      const whole = subresource === undefined ? resource : `${resource}/${subresource}`;
      return [rightText({ group, resource: whole, verb })];
    }),
  );
  const missing = rights.filter((right) => !allowed.has(rightText(right)));
  if (missing.length === 0) return passed("rights", `all ${rights.length} that a deployment needs`);
  return failed(
    "rights",
    `the caller may not ${listed(missing)}`,
    "give its user these verbs by a Role in the namespace; docs/policies/role.yaml is one with all of them",
  );
}

/** The rights as rules of a Role, one a resource. */
export function rulesOf(
  rights: readonly Right[],
): { apiGroups: string[]; resources: string[]; verbs: string[] }[] {
  return [...byResource(rights)].map(([, { group, resource, verbs }]) => ({
    apiGroups: [group],
    resources: [resource],
    verbs,
  }));
}

function listed(rights: readonly Right[]): string {
  return [...byResource(rights)]
    .map(([name, { verbs }]) => `${verbs.join("/")} ${name}`)
    .join(", ");
}

function byResource(
  rights: readonly Right[],
): Map<string, Pick<Right, "group" | "resource"> & { verbs: string[] }> {
  const found = new Map<string, Pick<Right, "group" | "resource"> & { verbs: string[] }>();
  for (const { group, resource, verb } of rights) {
    const name = group === "" ? resource : `${resource}.${group}`;
    const known = found.get(name) ?? { group, resource, verbs: [] };
    known.verbs.push(verb);
    found.set(name, known);
  }
  return found;
}

function rightText({ group, resource, verb }: Right): string {
  return `${verb} ${resource} ${group}`;
}
