import { NODE_NAME } from "./components.js";
import { DNS_SERVICE } from "./network.js";

/** Objects that a cluster has from its start, besides the gateway's. */
export function baseObjects(node: string): object[] {
  const ports = ["UDP", "TCP"].map((protocol) => ({
    name: `dns-${protocol.toLowerCase()}`,
    protocol,
    port: 53,
  }));
  const metadata = { name: "kube-dns", namespace: "kube-system" };
  return [
    // CoreDNS runs on the node: the Service has no pods, and its addresses are written down.
    { apiVersion: "v1", kind: "Service", metadata, spec: { clusterIP: DNS_SERVICE, ports } },
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { ...metadata, labels: { "kubernetes.io/service-name": "kube-dns" } },
      addressType: "IPv4",
      ports,
      endpoints: [{ addresses: [node], nodeName: NODE_NAME, conditions: { ready: true } }],
    },
  ];
}
