import type { Config } from "../../config/schema.js";

/** An object of Kubernetes as JSON has it. */
export type KubernetesObject = {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
} & Record<string, unknown>;

/** Which of the two Deployments a pod or a Service belongs to. */
export type Track = "stable" | "canary";

/**
 * What decides how requests are shared: a Gateway by exact weights, or the Service by how many pods
 * of each track it selects.
 */
export type Router = "gateway" | "replicas";

/** What a release is made of, for its objects. */
export interface ObjectInputs {
  /** Name of the Deployment, the Service and the route. */
  readonly name: string;
  readonly namespace: string;
  /** By digest. */
  readonly image: string;
  /** Number of the release. */
  readonly release: number;
  /** Port that the service listens on. */
  readonly port: number;
  /** Port of Slipway's own Service. Whoever asks by it goes on doing so. @default that of the pods */
  readonly servicePort?: number | undefined;
  readonly config: Config["deploy"];
  /** HTTP path that answers when the service is well; `false` for none. */
  readonly healthcheck: string | false;
  /** User and group id of the service. */
  readonly user: number;
  /** Commit, model, reference and the like, for the Deployment and its pods. */
  readonly annotations: Readonly<Record<string, string>>;
  /** Variables of the service, those of its model among them; they win over deploy.environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** The project's own manifests, in place of Slipway's objects. */
  readonly own?: readonly KubernetesObject[];
}
