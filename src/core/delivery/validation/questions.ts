import type { Config } from "../../config/schema.js";
import type { ApiRequest, Place } from "../api.js";
import { leasePlace } from "../lease.js";
import { gatewayOf, type KubernetesObject } from "../objects/index.js";
import { reviews, type Right } from "./rights.js";
import { trialPod } from "./trial.js";

/** What the questions are about. */
export interface Subject {
  readonly name: string;
  readonly namespace: string;
  readonly deploy: Config["deploy"];
  readonly rights: readonly Right[];
  /** Secrets that pods need. */
  readonly secrets: readonly string[];
  /** What is to be applied, stable and canary; none where nothing new is brought. */
  readonly objects: readonly KubernetesObject[];
  /** The canary's Deployment. */
  readonly canary: KubernetesObject | undefined;
  /** Whether the caller has the lease. */
  readonly isHolder: boolean;
}

/** A request to the API server, or a call of kubectl with its standard input. */
export type Question =
  | { readonly args: readonly string[]; readonly input?: string }
  | { readonly api: ApiRequest; readonly limit: number };

/** Seconds for one answer. */
const LIMIT = 20;

/** Everything that is asked before a deployment, by what it is about. Nothing is changed by it. */
export function questions(subject: Subject): Readonly<Record<string, Question>> {
  const { name, namespace, rights, secrets, objects, canary, deploy, isHolder } = subject;
  const { gateway } = deploy.route;
  return {
    version: call(["version", "--output=json"]),
    whoami: ask({ create: [WHO] }),
    namespace: ask({
      one: { kind: "v1/namespaces", namespace: "", name: namespace },
      needed: true,
    }),
    // Such a review is an answer: nothing is kept of it.
    rights: ask({ create: reviews(rights, namespace) }),
    ...(!isHolder && { lease: ask({ one: leasePlace(name) }) }),
    ...(objects.length > 0 && {
      trial: trialQuestion(objects),
      deployment: ask({ one: { kind: "apps/v1/deployments", name } }),
      quotas: ask({ all: [{ kind: "v1/resourcequotas" }] }),
    }),
    ...(canary && {
      pod: call(
        // Its fields were seen in the trial.
        ["create", "--dry-run=server", "--validate=ignore", "--filename=-", "--output=name"],
        list([trialPod(canary)]),
      ),
    }),
    ...(secrets.length > 0 && {
      // By kubectl, which gives their names alone: what is in them is nobody's business here.
      secrets: call(["get", "secrets", ...secrets, "--ignore-not-found", "--output=name"]),
    }),
    ...(gateway !== undefined && { gateway: ask({ one: gatewayPlace(gateway), needed: true }) }),
  };
}

/** Who the API server takes the caller for; nothing is kept of it. */
const WHO = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };

/** Asks whether the API server would take these objects, without keeping any. */
export function trialQuestion(objects: readonly KubernetesObject[]): Question {
  const trial = ["apply", "--server-side", "--dry-run=server", "--field-manager=slipway"];
  return call([...trial, "--filename=-", "--output=name"], list(objects));
}

function gatewayPlace(gateway: string): Place {
  const { name, namespace } = gatewayOf(gateway);
  return { kind: "gateway.networking.k8s.io/v1/gateways", name, namespace };
}

function ask(api: ApiRequest): Question {
  return { api, limit: LIMIT };
}

function call(args: readonly string[], input?: string): Question {
  const all = [...args, `--request-timeout=${LIMIT}s`];
  return { args: all, ...(input !== undefined && { input }) };
}

function list(items: readonly KubernetesObject[]): string {
  return JSON.stringify({ apiVersion: "v1", kind: "List", items });
}
