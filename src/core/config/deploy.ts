import * as z from "zod";
import { httpPath, relativePath, seconds } from "./fields.js";

const kubernetesName = z
  .string()
  .regex(
    /^[a-z]([a-z0-9-]{0,48}[a-z0-9])?$/,
    "expected a Kubernetes name: lower case letters, digits and dashes, at most 50, a letter first",
  );

const quantity = (example: string) =>
  z
    .string(`expected a string such as "${example}"`)
    .regex(/^\d+(\.\d+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$/, `expected a quantity such as "${example}"`);

const step = z.strictObject({
  weight: z
    .number("expected a percentage from 0 to 100")
    .min(0, "expected a percentage from 0 to 100")
    .max(100, "expected a percentage from 0 to 100")
    .describe("Share of the requests that the canary gets, in percent"),
  pause: z
    .int("expected a whole number of seconds")
    .min(0, "expected 0 seconds or more")
    .max(86_400, "expected at most 86400 seconds (a day)")
    .default(0)
    .describe("Seconds to wait at this weight before the analysis"),
  analysis: z.boolean().default(true).describe("Whether the canary is analysed at this weight"),
});

const route = z.strictObject({
  gateway: z
    .string()
    .regex(/^([a-z0-9-]+\/)?[a-z0-9-]+$/, "expected a Gateway as name or namespace/name")
    .optional()
    .describe(
      "Gateway (Gateway API), as NAME or NAMESPACE/NAME, that requests come through: weights are exact. Default: none; a weight is then a share of the pods",
    ),
  hostnames: z.array(z.string().min(1)).default([]).describe("Host names of the service's route"),
  path: httpPath.default("/").describe("Path prefix of the service's route"),
  header: z
    .string()
    .regex(/^[A-Za-z0-9-]+=\S+$/, "expected name=value such as X-Canary=always")
    .optional()
    .describe("Header that sends a request to the canary whatever the weight, as name=value"),
});

const resources = z.strictObject({
  cpu: quantity("250m").default("100m").describe("CPU that a pod asks for"),
  memory: quantity("256Mi").default("256Mi").describe("Memory that a pod asks for"),
  cpuLimit: quantity("2").optional().describe("CPU limit of a pod. Default: none"),
  memoryLimit: quantity("512Mi").default("512Mi").describe("Memory limit of a pod"),
});

const smokeRequest = z.strictObject({
  path: httpPath.describe("Path to ask for"),
  method: z.enum(["GET", "POST", "PUT", "DELETE"]).default("GET").describe("HTTP method"),
  body: z.string().optional().describe("Body, as JSON"),
  status: z.int().min(100).max(599).default(200).describe("Status that is expected"),
  contains: z.string().optional().describe("Text that the answer must hold"),
});

const smoke = z.strictObject({
  requests: z
    .array(smokeRequest)
    .default([])
    .describe("Requests to the canary before it gets any other. Default: deploy.readiness"),
  retries: z.int().min(0).max(20).default(3).describe("Tries after the first, a second apart"),
  markers: z
    .string()
    .default("")
    .describe(
      "Marker expression of the project's own tests that are run against the canary, whose address they find in SLIPWAY_TARGET. Default: none are run",
    ),
});

/** `[tool.slipway.deploy]`. */
export const deploy = z.strictObject({
  context: z
    .string()
    .min(1)
    .optional()
    .describe("Context of the kubeconfig. Default: its current one"),
  namespace: kubernetesName.default("default").describe("Namespace; it has to be there"),
  name: kubernetesName
    .optional()
    .describe("Name of the Deployment, Service and route. Default: the project's name"),
  strategy: z
    .enum(["canary", "blue-green"])
    .default("canary")
    .describe(
      "`canary` by deploy.steps; `blue-green`: a preview without requests, then all at once",
    ),
  replicas: z.int().min(1).max(1000).default(2).describe("Pods of the service"),
  steps: z
    .array(step)
    .min(1, "expected at least one step")
    .default([
      { weight: 10, pause: 0, analysis: true },
      { weight: 50, pause: 0, analysis: true },
      { weight: 100, pause: 0, analysis: true },
    ])
    .refine(
      (steps) =>
        steps.every((one, index) => index === 0 || one.weight > (steps[index - 1]?.weight ?? 0)),
      "expected weights that rise from step to step",
    )
    .describe("Steps of a canary: tables of `weight`, `pause`, `analysis`"),
  manifests: z
    .array(relativePath)
    .default([])
    .describe("Kubernetes manifests of the project, files or folders. Default: Slipway makes them"),
  kustomization: relativePath
    .optional()
    .describe("Folder with a kustomization, in place of deploy.manifests"),
  container: z
    .string()
    .min(1)
    .optional()
    .describe("Container of the project's Deployment that runs the image. Default: its only one"),
  route: route.prefault({}),
  readiness: httpPath
    .default("/readyz")
    .describe("HTTP path that answers 200 when a pod wants requests"),
  liveness: httpPath.optional().describe("HTTP path of liveness. Default: build.healthcheck"),
  metrics: httpPath
    .optional()
    .describe(
      "HTTP path of metrics: the pods get the annotations prometheus.io/scrape, port and path. Default: none",
    ),
  environment: z
    .record(z.string().regex(/^[A-Za-z_]\w*$/, "expected a variable's name"), z.string())
    .default({})
    .describe("Environment variables of the service; no secrets"),
  secrets: z
    .array(z.string().min(1))
    .default([])
    .describe("Secrets of the namespace whose keys become environment variables"),
  pullSecret: z.string().min(1).optional().describe("Secret of the namespace to pull images with"),
  resources: resources.prefault({}),
  disruptions: z
    .boolean()
    .default(true)
    .describe("Make a PodDisruptionBudget: at most one pod is taken away at a time"),
  networkPolicy: z
    .boolean()
    .default(true)
    .describe("Make a NetworkPolicy: requests only to the service's port"),
  drain: z
    .int()
    .min(1, "expected at least 1 second")
    .max(300, "expected at most 300 seconds")
    .default(5)
    .describe("Seconds that a pod goes on answering after it is told to end"),
  keep: seconds
    .default(30)
    .describe("Seconds that the old pods are kept when all requests have left them"),
  deadline: seconds
    .default(600)
    .describe("Seconds in which pods have to become ready, else the deployment fails"),
  maxAge: z
    .int("expected a whole number of hours")
    .min(1, "expected at least 1 hour")
    .max(720, "expected at most 720 hours (30 days)")
    .default(24)
    .describe("Hours after which a waiting canary is too old to promote"),
  watch: z
    .int("expected a whole number of seconds")
    .min(0)
    .max(86_400)
    .default(300)
    .describe("Seconds that `slipway watch` looks at a promoted release"),
  history: z
    .int()
    .min(2, "expected at least 2: there has to be one to go back to")
    .max(200)
    .default(20)
    .describe("Releases that are kept in the cluster"),
  irreversible: z
    .string()
    .min(1)
    .optional()
    .describe(
      "Why this release cannot be taken back, such as a database migration: stops `rollback`",
    ),
  smoke: smoke.prefault({}),
});
