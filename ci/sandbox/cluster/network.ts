/**
 * The network between a cluster and its host: a pair of connected interfaces with a /30 of
 * 198.18.0.0/15, which is set aside for tests of networks (RFC 2544) and so nobody's.
 */
export interface Link {
  /** Name of the host's interface. */
  device: string;
  /** The host's address, as the cluster sees it. */
  host: string;
  /** The node's address: API server, gateway, Prometheus, MLflow. */
  node: string;
}

/** How many clusters find room. */
export const LINKS = 2 ** 15;

/** Addresses of pods; each cluster has a network namespace, so all have the same. */
export const POD_CIDR = "10.244.0.0/16";
export const SERVICE_CIDR = "10.96.0.0/16";
/** Of the Service `kubernetes`: the first of the range. */
export const API_SERVICE = "10.96.0.1";
export const DNS_SERVICE = "10.96.0.10";

/** Where the node answers. */
export const PORTS = { api: 6443, gateway: 8080, envoy: 8002, prometheus: 9090, mlflow: 5000 };

/** The link with this number, from 0 to `LINKS` - 1. */
export function linkOf(index: number): Link {
  const address = (last: number): string => {
    const number = index * 4 + last;
    return `198.${18 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`;
  };
  return { device: `slipway${index}`, host: address(1), node: address(2) };
}

/** The number to try first for a cluster of this name, so that it tends to keep its address. */
export function preferredLink(name: string): number {
  let hash = 0;
  for (const char of name) hash = (hash * 31 + (char.codePointAt(0) ?? 0)) % LINKS;
  return hash;
}

/**
 * Shell commands, inside, that give the node its address ($1, with its prefix) and the way to its
 * host ($2). Pods speak to the host with the node's address: the host knows no other. The range of
 * services needs a route, because the kernel looks for one before it rewrites the address.
 */
export const CONNECT = `
ip addr add "$1" dev eth0
ip link set eth0 up
ip route add ${SERVICE_CIDR} via "$2"
nft -f - <<X
table ip slipway {
  chain outgoing {
    type nat hook postrouting priority srcnat;
    oifname "eth0" ip saddr ${POD_CIDR} masquerade
  }
}
X`;
