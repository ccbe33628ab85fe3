import { DEFAULT_CONTAINER, labelsOf, selectorOf } from "./labels.js";
import type { KubernetesObject, ObjectInputs } from "./types.js";

/** Name of the container and of its port in Slipway's own Deployment. */
const CONTAINER = "service";
const PORT = "http";

/** Seconds that a pod has between the end of its drain and being killed. */
export const GRACE = 30;

/** Seconds that a pod has to stay ready before it counts. */
const SETTLED = 1;

/** Slipway's own Deployment: pods that run as nobody in particular and may do nothing but serve. */
export function deploymentOf(inputs: ObjectInputs): KubernetesObject {
  const { name, namespace, config, release } = inputs;
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: {
      name,
      namespace,
      labels: labelsOf(name, release, "stable"),
      annotations: { ...inputs.annotations },
    },
    spec: {
      replicas: config.replicas,
      selector: { matchLabels: selectorOf(name, "stable") },
      // Never fewer pods than there have to be.
      strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: "25%" } },
      minReadySeconds: SETTLED,
      progressDeadlineSeconds: Math.max(config.deadline, SETTLED + 1),
      // A rollback applies a recorded release; old ReplicaSets are for nobody.
      revisionHistoryLimit: 2,
      template: {
        metadata: {
          labels: labelsOf(name, release, "stable"),
          annotations: {
            ...inputs.annotations,
            ...scraped(inputs),
            [DEFAULT_CONTAINER]: CONTAINER,
          },
        },
        spec: podOf(inputs),
      },
    },
  };
}

/** What a Prometheus that looks for these annotations is told; they are a convention, not a standard. */
function scraped({ config, port }: ObjectInputs): Record<string, string> {
  if (config.metrics === undefined) return {};
  const said = { scrape: "true", port: String(port), path: config.metrics };
  return Object.fromEntries(
    Object.entries(said).map(([name, value]) => [`prometheus.io/${name}`, value]),
  );
}

function podOf(inputs: ObjectInputs): Record<string, unknown> {
  const { name, config, user } = inputs;
  return {
    automountServiceAccountToken: false,
    // Variables of every Service in the namespace: nobody asked for them.
    enableServiceLinks: false,
    terminationGracePeriodSeconds: config.drain + GRACE,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: user,
      runAsGroup: user,
      fsGroup: user,
      seccompProfile: { type: "RuntimeDefault" },
    },
    ...(config.pullSecret !== undefined && { imagePullSecrets: [{ name: config.pullSecret }] }),
    topologySpreadConstraints: ["kubernetes.io/hostname", "topology.kubernetes.io/zone"].map(
      (topologyKey) => ({
        maxSkew: 1,
        topologyKey,
        whenUnsatisfiable: "ScheduleAnyway",
        labelSelector: { matchLabels: selectorOf(name) },
      }),
    ),
    containers: [containerOf(inputs)],
    volumes: [{ name: "tmp", emptyDir: {} }],
  };
}

function containerOf(inputs: ObjectInputs): Record<string, unknown> {
  const { config, image, port } = inputs;
  const { cpu, memory, cpuLimit, memoryLimit } = config.resources;
  const variables = Object.entries({ ...config.environment, ...inputs.environment });
  return {
    name: CONTAINER,
    image,
    imagePullPolicy: "IfNotPresent",
    ports: [{ name: PORT, containerPort: port, protocol: "TCP" }],
    ...(variables.length > 0 && { env: variables.map(([name, value]) => ({ name, value })) }),
    ...(config.secrets.length > 0 && {
      envFrom: config.secrets.map((name) => ({ secretRef: { name } })),
    }),
    ...probesOf(inputs),
    lifecycle: { preStop: { sleep: { seconds: config.drain } } },
    resources: {
      requests: { cpu, memory },
      limits: { ...(cpuLimit !== undefined && { cpu: cpuLimit }), memory: memoryLimit },
    },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    },
    volumeMounts: [{ name: "tmp", mountPath: "/tmp" }],
  };
}

/** Ready: wants requests. Alive: need not be started anew. Until it has started, neither is asked. */
function probesOf({ config, healthcheck }: ObjectInputs): Record<string, unknown> {
  const alive = config.liveness ?? (healthcheck === false ? undefined : healthcheck);
  const get = (path: string) => ({ httpGet: { path, port: PORT, scheme: "HTTP" } });
  return {
    startupProbe: {
      ...get(alive ?? config.readiness),
      periodSeconds: 1,
      timeoutSeconds: 2,
      // Whoever deploys gives up at the deadline; that soon, a restart would only take the pod its time.
      failureThreshold: Math.max(60, config.deadline),
    },
    readinessProbe: {
      ...get(config.readiness),
      periodSeconds: 2,
      timeoutSeconds: 2,
      failureThreshold: 3,
    },
    ...(alive !== undefined && {
      livenessProbe: { ...get(alive), periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3 },
    }),
  };
}
