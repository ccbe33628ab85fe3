import { setTimeout as sleep } from "node:timers/promises";

import type { Api } from "../../../../ci/sandbox/cluster/api.js";

/** What is there of a service at one moment. */
export interface Scene {
  /** Release of the stable Deployment; 0 when there is none. */
  readonly stable: number;
  /** Whether all pods of stable are of that release. */
  readonly settled: boolean;
  /** Release of the canary's Deployment; 0 when there is none. */
  readonly canary: number;
  /** Pods of the canary that are ready. */
  readonly ready: number;
  /** Share of the requests that the route gives to the canary, in percent. */
  readonly weight: number;
}

interface Deployment {
  readonly metadata: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly generation: number;
    readonly deletionTimestamp?: string;
  };
  readonly spec: { readonly replicas: number };
  readonly status: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly readyReplicas?: number;
  };
}

interface Route {
  readonly spec: {
    readonly rules: readonly {
      readonly matches?: readonly { readonly headers?: unknown }[];
      readonly backendRefs: readonly { readonly name: string; readonly weight: number }[];
    }[];
  };
}

/** Looks at a service without a process of its own: a case waits for moments that pass quickly. */
export async function look(api: Api, namespace: string, name: string): Promise<Scene | undefined> {
  const at = (group: string, kind: string, which: string): string =>
    `/apis/${group}/namespaces/${namespace}/${kind}/${which}`;
  const [stable, canary, route] = await Promise.all([
    api.get<Deployment>(at("apps/v1", "deployments", name)),
    api.get<Deployment>(at("apps/v1", "deployments", `${name}-canary`)),
    api.get<Route>(at("gateway.networking.k8s.io/v1", "httproutes", name)),
  ]);
  // An API server that does not answer says nothing of what is there.
  if (!stable && !canary && !route) return undefined;
  return {
    stable: releaseOf(stable),
    settled: stable !== undefined && isSettled(stable),
    canary: canary?.metadata.deletionTimestamp === undefined ? releaseOf(canary) : 0,
    ready: canary?.status.readyReplicas ?? 0,
    weight: route ? weightOf(route, name) : 0,
  };
}

function releaseOf(deployment: Deployment | undefined): number {
  return Number(deployment?.metadata.labels?.["slipway.dev/release"] ?? 0);
}

function isSettled({ metadata, spec, status }: Deployment): boolean {
  const { observedGeneration = 0, replicas, updatedReplicas, readyReplicas } = status;
  const counts = [replicas, updatedReplicas, readyReplicas];
  return (
    observedGeneration >= metadata.generation && counts.every((each) => each === spec.replicas)
  );
}

function weightOf({ spec }: Route, name: string): number {
  const rule = spec.rules.find(({ matches = [] }) => matches.every(({ headers }) => !headers));
  return rule?.backendRefs.find((each) => each.name === `${name}-canary`)?.weight ?? 0;
}

/** What a case waits for before something goes wrong. */
export const MOMENTS = {
  /** The canary is applied, its pods are not ready yet. */
  applied: ({ canary }: Scene) => canary > 0,
  /** It stands, and its first requests are about to come. */
  standing: ({ canary, ready }: Scene) => canary > 0 && ready > 0,
  /** It has its first share: it is analysed. */
  first: ({ weight }: Scene) => weight > 0,
  /** It has its second share. */
  second: ({ weight }: Scene) => weight > 20,
  /** All requests go to it. */
  whole: ({ weight }: Scene) => weight === 100,
  /** The stable Deployment becomes the new release. */
  replacing: ({ stable, canary }: Scene) => stable > 0 && stable === canary,
  /** The new release serves alone, the canary is not gone yet. */
  leaving: ({ stable, canary, weight }: Scene) => stable === canary && stable > 0 && weight === 0,
} as const satisfies Record<string, (scene: Scene) => boolean>;

export type Moment = keyof typeof MOMENTS;

/** Waits until something is seen of a service. */
export async function moment(
  see: () => Promise<Scene | undefined>,
  wanted: (scene: Scene) => boolean,
  what: string,
  seconds = 600,
): Promise<Scene> {
  const end = performance.now() + seconds * 1000;
  let last: Scene | undefined;
  while (performance.now() < end) {
    const scene = await see();
    if (scene && wanted(scene)) return scene;
    last = scene ?? last;
    await sleep(100);
  }
  throw new Error(`${what} did not come in ${seconds} s; the last was ${JSON.stringify(last)}`);
}
