import type { Place } from "./api.js";

/** The part of a Lease (coordination.k8s.io) that says who holds it. */
export interface Lease {
  readonly resourceVersion: string;
  /** Empty when it was given back. */
  readonly holder: string;
  readonly transitions: number;
}

/** Seconds without a sign of life after which a lease is taken from its holder. */
export const LEASE_SECONDS = 30;

/** Name of the service's lease. */
export function leaseName(service: string): string {
  return `slipway-${service}`;
}

/** Where it is. */
export function leasePlace(service: string): Place {
  return { kind: "coordination.k8s.io/v1/leases", name: leaseName(service) };
}

/** Reads a lease as JSON; undefined when there is none. */
export function readLease(text: string): Lease | undefined {
  if (text.trim() === "") return undefined;
  const { metadata, spec } = JSON.parse(text) as {
    metadata?: { resourceVersion?: string };
    spec?: { holderIdentity?: string; leaseTransitions?: number };
  };
  return {
    resourceVersion: metadata?.resourceVersion ?? "",
    holder: spec?.holderIdentity ?? "",
    transitions: spec?.leaseTransitions ?? 0,
  };
}

/** How to get a lease. */
export type Claim = "hold" | "create" | "take" | "wait" | "refuse";

/**
 * How to get a lease, by what was seen of it. No clocks are compared, which may differ: only whether
 * it changed while it was watched.
 *
 * @param watched What it was when the watch began, and for how many seconds; undefined before.
 * @param force Take it whoever holds it, as `abort` does.
 */
export function claim(
  lease: Lease | undefined,
  me: string,
  watched: { readonly lease: Lease; readonly seconds: number } | undefined,
  force: boolean,
): Claim {
  if (lease === undefined) return "create";
  if (lease.holder === me) return "hold";
  if (lease.holder === "" || force) return "take";
  if (watched === undefined) return "wait";
  if (watched.lease.resourceVersion !== lease.resourceVersion) return "refuse";
  return watched.seconds >= LEASE_SECONDS ? "take" : "wait";
}

/** The Lease to create. */
export function newLease(service: string, namespace: string, me: string, now: string): object {
  return {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: {
      name: leaseName(service),
      namespace,
      labels: { "app.kubernetes.io/managed-by": "slipway" },
    },
    spec: { ...held(me, now), leaseTransitions: 0 },
  };
}

/** JSON patch that takes a lease, unless it changed since it was read. */
export function takePatch(lease: Lease, me: string, now: string): object[] {
  return [
    { op: "test", path: "/metadata/resourceVersion", value: lease.resourceVersion },
    {
      op: "add",
      path: "/spec",
      value: { ...held(me, now), leaseTransitions: lease.transitions + 1 },
    },
  ];
}

/** JSON patch that takes a lease that was given back, without having read it. */
export function freePatch(me: string, now: string): object[] {
  return [
    { op: "test", path: "/spec/holderIdentity", value: "" },
    { op: "replace", path: "/spec/holderIdentity", value: me },
    { op: "add", path: "/spec/acquireTime", value: now },
    { op: "add", path: "/spec/renewTime", value: now },
  ];
}

/** JSON patch that renews a lease, unless somebody else has it by now. */
export function renewPatch(me: string, now: string): object[] {
  return [
    { op: "test", path: "/spec/holderIdentity", value: me },
    { op: "replace", path: "/spec/renewTime", value: now },
  ];
}

/** JSON patch that gives a lease back, unless somebody else has it by now. */
export function releasePatch(me: string): object[] {
  return [
    { op: "test", path: "/spec/holderIdentity", value: me },
    { op: "replace", path: "/spec/holderIdentity", value: "" },
  ];
}

/** Kubernetes wants microseconds: `2026-11-24T12:00:00.123000Z`. */
export function microTime(now: Date): string {
  return now.toISOString().replace("Z", "000Z");
}

function held(me: string, now: string): object {
  return {
    holderIdentity: me,
    leaseDurationSeconds: LEASE_SECONDS,
    acquireTime: now,
    renewTime: now,
  };
}
