import { GATEWAY } from "../../../ci/sandbox/cluster/gateway.js";
import type { Cluster } from "../../../ci/sandbox/cluster/cluster.js";

/** Host name that the tests' route is for. */
export const HOST = "iris.example";

export const FLOWER = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };

/** A Deployment of the test service and its Service, both of this name. */
export function release(
  name: string,
  image: string,
  options: { readonly replicas?: number; readonly namespace?: string } = {},
): object {
  const { replicas = 1, namespace = "default" } = options;
  const labels = { app: name };
  const metadata = { name, namespace, labels };
  const container = {
    name: "iris",
    image,
    ports: [{ containerPort: 8000 }],
    readinessProbe: { httpGet: { path: "/readyz", port: 8000 }, periodSeconds: 1 },
    lifecycle: { preStop: { sleep: { seconds: 3 } } },
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      seccompProfile: { type: "RuntimeDefault" },
    },
  };
  const annotations = { "prometheus.io/scrape": "true", "prometheus.io/port": "8000" };
  const deployment = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata,
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels, annotations }, spec: { containers: [container] } },
    },
  };
  const service = {
    apiVersion: "v1",
    kind: "Service",
    metadata,
    spec: { selector: labels, ports: [{ port: 80, targetPort: 8000 }] },
  };
  return { apiVersion: "v1", kind: "List", items: [deployment, service] };
}

/** The tests' route, with a weight for each Service. */
export function route(weights: Readonly<Record<string, number>>, namespace = "default"): object {
  const backendRefs = Object.entries(weights).map(([name, weight]) => ({ name, port: 80, weight }));
  return {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "HTTPRoute",
    metadata: { name: "iris", namespace },
    spec: { parentRefs: [GATEWAY], hostnames: [HOST], rules: [{ backendRefs }] },
  };
}

/** Applies objects as a user does. */
export async function apply(cluster: Cluster, objects: object): Promise<void> {
  await cluster.kubectl(["apply", "-f", "-"], objects);
}

/** Waits until a Deployment is rolled out. */
export async function rolledOut(cluster: Cluster, name: string): Promise<void> {
  await cluster.kubectl(["rollout", "status", `deployment/${name}`, "--timeout=120s"]);
}

/** Waits until something holds, at most 30 s. */
export async function eventually<T>(
  what: string,
  probe: () => T | undefined | Promise<T | undefined>,
): Promise<T> {
  for (const end = Date.now() + 30_000; Date.now() < end;) {
    const found = await probe();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${what}: not within 30 s`);
}
