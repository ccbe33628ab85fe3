import type { Config } from "../../config/schema.js";
import { leaseName } from "../lease.js";
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

/** A call of kubectl, and its standard input. */
export interface Question {
  readonly args: readonly string[];
  readonly input?: string;
}

const JSON_OUTPUT = "--output=json";
const MISSING_IS_FINE = "--ignore-not-found";

/** Everything that kubectl is asked before a deployment, by what it is about. Nothing is changed by it. */
export function questions(subject: Subject): Readonly<Record<string, Question>> {
  const { name, namespace, rights, secrets, objects, canary, deploy, isHolder } = subject;
  const { gateway } = deploy.route;
  return {
    version: ask(["version", JSON_OUTPUT]),
    whoami: ask(["auth", "whoami", JSON_OUTPUT]),
    namespace: ask(["get", "namespace", namespace, JSON_OUTPUT]),
    // Such a review is an answer: nothing is kept of it.
    rights: ask(
      ["create", "--validate=ignore", "--filename=-", JSON_OUTPUT],
      reviews(rights, namespace),
    ),
    ...(!isHolder && { lease: ask(leaseQuestion(name)) }),
    ...(objects.length > 0 && {
      trial: trialQuestion(objects),
      deployment: ask(["get", "deployments.apps", name, MISSING_IS_FINE, JSON_OUTPUT]),
      quotas: ask(["get", "resourcequotas", JSON_OUTPUT]),
    }),
    ...(canary && {
      pod: ask(
        // Its fields were seen in the trial.
        ["create", "--dry-run=server", "--validate=ignore", "--filename=-", "--output=name"],
        list([trialPod(canary)]),
      ),
    }),
    ...(secrets.length > 0 && {
      secrets: ask(["get", "secrets", ...secrets, MISSING_IS_FINE, "--output=name"]),
    }),
    ...(gateway !== undefined && { gateway: ask(gatewayQuestion(gateway)) }),
  };
}

/** Asks whether the API server would take these objects, without keeping any. */
export function trialQuestion(objects: readonly KubernetesObject[]): Question {
  const trial = ["apply", "--server-side", "--dry-run=server", "--field-manager=slipway"];
  return ask([...trial, "--filename=-", "--output=name"], list(objects));
}

/** Asks who has the lease. */
export function leaseQuestion(name: string): string[] {
  return ["get", `lease/${leaseName(name)}`, MISSING_IS_FINE, JSON_OUTPUT];
}

function gatewayQuestion(gateway: string): string[] {
  const { name, namespace } = gatewayOf(gateway);
  return [
    ...["get", "gateways.gateway.networking.k8s.io", name, JSON_OUTPUT],
    ...(namespace === undefined ? [] : [`--namespace=${namespace}`]),
  ];
}

function ask(args: readonly string[], input?: string): Question {
  return { args: [...args, "--request-timeout=20s"], ...(input !== undefined && { input }) };
}

function list(items: readonly KubernetesObject[]): string {
  return JSON.stringify({ apiVersion: "v1", kind: "List", items });
}
