import * as z from "zod";
import type { KubernetesObject } from "./types.js";

/** Labels, annotations and the like. A label `true` that nobody quoted is a mistake that Kubernetes refuses too. */
const strings = z.record(z.string(), z.string());

const named = z.looseObject({ name: z.string().min(1) });

const container = z.looseObject({
  name: z.string().min(1),
  image: z.string().optional(),
  ports: z
    .array(
      z.looseObject({
        hostPort: z.int().optional(),
        containerPort: z.int().optional(),
        name: z.string().optional(),
      }),
    )
    .optional(),
  env: z.array(named).optional(),
  envFrom: z.array(z.looseObject({ secretRef: named.optional() })).optional(),
  lifecycle: z.looseObject({ preStop: z.unknown().optional() }).optional(),
  readinessProbe: z.unknown().optional(),
});

const deployment = z.looseObject({
  replicas: z.int().min(0).optional(),
  selector: z.looseObject({ matchLabels: strings.optional() }),
  strategy: z.looseObject({ type: z.string().optional() }).optional(),
  progressDeadlineSeconds: z.int().optional(),
  template: z.looseObject({
    metadata: z.looseObject({ labels: strings.optional(), annotations: strings.optional() }),
    spec: z.looseObject({
      containers: z.array(container).min(1),
      initContainers: z.array(container).optional(),
      hostNetwork: z.boolean().optional(),
      imagePullSecrets: z.array(named).optional(),
      terminationGracePeriodSeconds: z.int().optional(),
      volumes: z
        .array(
          z.looseObject({
            persistentVolumeClaim: z.looseObject({ claimName: z.string() }).optional(),
          }),
        )
        .optional(),
    }),
  }),
});

const service = z.looseObject({
  type: z.string().optional(),
  clusterIP: z.string().optional(),
  selector: strings.optional(),
  ports: z
    .array(
      z.looseObject({
        port: z.int().min(1).max(65_535),
        targetPort: z.union([z.int(), z.string()]).optional(),
      }),
    )
    .min(1),
});

/** `spec` of a Deployment, as far as it matters here. */
export type DeploymentSpec = z.infer<typeof deployment>;
/** `spec` of a Service, as far as it matters here. */
export type ServiceSpec = z.infer<typeof service>;
/** A container, as far as it matters here. */
export type ContainerSpec = z.infer<typeof container>;

/** `spec` of a Deployment or what is wrong with its form. */
export function readDeployment({ spec }: KubernetesObject): DeploymentSpec | string {
  return read(deployment, spec);
}

/** `spec` of a Service or what is wrong with its form. */
export function readService({ spec }: KubernetesObject): ServiceSpec | string {
  return read(service, spec);
}

function read<T>(schema: z.ZodType<T>, spec: unknown): T | string {
  const parsed = schema.safeParse(spec);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  return `spec.${issue?.path.join(".") ?? ""}: ${issue?.message ?? "is not as it has to be"}`;
}

/** `spec.a.b` of any object, or undefined. */
export function field(object: KubernetesObject, ...path: readonly string[]): unknown {
  let at: unknown = object;
  for (const name of path)
    at = typeof at === "object" && at !== null ? (at as Record<string, unknown>)[name] : undefined;
  return at;
}
