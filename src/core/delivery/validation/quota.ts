import * as z from "zod";
import type { KubernetesObject } from "../objects/index.js";
import { field } from "../objects/shape.js";
import { failed, passed, warned, type Finding, type Said } from "./findings.js";
import { parsed, reason } from "./server.js";

const quotas = z.looseObject({
  items: z.array(
    z.looseObject({
      metadata: z.looseObject({ name: z.string() }),
      spec: z.looseObject({
        scopes: z.array(z.string()).optional(),
        scopeSelector: z.unknown().optional(),
      }),
      status: z
        .looseObject({
          hard: z.record(z.string(), z.string()).default({}),
          used: z.record(z.string(), z.string()).default({}),
        })
        .optional(),
    }),
  ),
});

/** What pods take, by the names that quotas have for it. */
export type Demand = ReadonlyMap<string, number>;

const SUFFIXES: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** A quantity of Kubernetes as a number: `250m` is 0.25, `1Ki` 1024; NaN for what is none. */
export function quantity(text: string): number {
  const [, digits, suffix = ""] = /^([+-]?[\d.]+(?:[eE][+-]?\d+)?)([a-zA-Z]*)$/.exec(text) ?? [];
  return Number(digits) * (SUFFIXES[suffix] ?? NaN);
}

/**
 * How many more pods there are than now when there are most: the canary's beside stable's, and a quarter
 * more of stable while it gets its new version; all of stable when there is none yet.
 */
export function podsNeeded({
  stable,
  canary,
  isFirst,
}: {
  readonly stable: number;
  readonly canary: number;
  readonly isFirst: boolean;
}): number {
  return isFirst ? stable : canary + Math.ceil(stable / 4);
}

/**
 * What so many more pods of a Deployment take, and the objects of a canary beside them.
 */
export function demandOf(deployment: KubernetesObject, pods: number): Demand {
  const containers = field(deployment, "spec", "template", "spec", "containers");
  const demand = new Map<string, number>([
    ["pods", pods],
    ["count/pods", pods],
    ["services", 1],
    ["count/services", 1],
    ["count/deployments.apps", 1],
  ]);
  for (const container of Array.isArray(containers) ? (containers as unknown[]) : [])
    for (const kind of ["requests", "limits"]) {
      const amounts =
        (container as { resources?: Record<string, unknown> }).resources?.[kind] ?? {};
      for (const [name, amount] of Object.entries(amounts as Record<string, unknown>)) {
        const more = quantity(String(amount)) * pods;
        const names = kind === "requests" ? [`requests.${name}`, name] : [`limits.${name}`];
        for (const each of names) demand.set(each, (demand.get(each) ?? 0) + more);
      }
    }
  return demand;
}

/** Whether the namespace's quotas leave room for it. */
export function quotaFinding(demand: Demand, said: Said): Finding {
  if ((said?.stderr ?? "").includes("(Forbidden)"))
    return warned("quota", "the caller may not look at it; whether there is room is not known");
  const read = said?.exitCode === 0 ? parsed(quotas, said.stdout) : undefined;
  if (!read) return failed("quota", `not known: ${reason(said)}`);
  // A quota for some pods only (best effort, a priority) says nothing sure about these.
  const whole = read.items.filter(({ spec }) => !spec.scopes?.length && spec.scopeSelector == null);
  const short = whole.flatMap(({ metadata, status }) =>
    Object.entries(status?.hard ?? {}).flatMap(([name, hard]) => {
      const wanted = demand.get(name);
      const used = status?.used[name] ?? "0";
      const left = quantity(hard) - quantity(used);
      return wanted === undefined || wanted <= left * (1 + 1e-9)
        ? []
        : [`${metadata.name}: ${name} ${used} of ${hard} used, ${amount(wanted)} more needed`];
    }),
  );
  if (short.length > 0)
    return failed(
      "quota",
      `no room for the canary beside stable: ${short.join("; ")}`,
      "raise the quota, or lower deploy.resources, deploy.replicas or the weights",
    );
  return passed("quota", whole.length === 0 ? "there is none" : "leaves room for the canary");
}

function amount(value: number): string {
  return value >= 2 ** 20 ? `${Math.ceil(value / 2 ** 20)}Mi` : String(Number(value.toFixed(3)));
}
