import { setTimeout as sleep } from "node:timers/promises";

import type { Api } from "../sandbox/cluster/api.js";
import { failuresOf, type Traffic } from "../sandbox/traffic.js";

const EVERY_MS = 50;

interface Deployment {
  readonly metadata: { readonly generation: number; readonly deletionTimestamp?: string };
  readonly spec: { readonly replicas: number };
  readonly status: Readonly<Partial<Record<string, number>>>;
}

/** Something that is looked at again and again until it is stopped. */
export interface Watch<T> {
  readonly stop: () => Promise<T>;
}

/** Milliseconds in which a pod of one of these Deployments was wanted and not available. */
export function watchReadiness(
  api: Api,
  namespace: string,
  names: readonly string[],
): Watch<number> {
  let waited = 0;
  let since = performance.now();
  const looking = again(async () => {
    const found = await Promise.all(
      names.map((name) =>
        api.get<Deployment>(`/apis/apps/v1/namespaces/${namespace}/deployments/${name}`),
      ),
    );
    const now = performance.now();
    if (found.some((each) => each !== undefined && !isSettled(each))) waited += now - since;
    since = now;
  });
  return {
    stop: async () => {
      await looking.stop();
      return waited;
    },
  };
}

function isSettled({ metadata, spec, status }: Deployment): boolean {
  if (metadata.deletionTimestamp !== undefined) return true;
  const counts = ["replicas", "updatedReplicas", "availableReplicas"].map(
    (key) => status[key] ?? 0,
  );
  return (
    (status.observedGeneration ?? 0) >= metadata.generation &&
    counts.every((each) => each === spec.replicas)
  );
}

/** When the first and the last request failed, on the clock of `performance.now()`. */
export function watchFailures(traffic: Traffic): Watch<{ first: number; last: number }> {
  return watchCount(() => failuresOf(traffic.counts));
}

/** When a release answered for the first and for the last time. */
export function watchAnswers(
  traffic: Traffic,
  release: string,
): Watch<{ first: number; last: number }> {
  return watchCount(() => traffic.counts.releases[release] ?? 0);
}

function watchCount(count: () => number): Watch<{ first: number; last: number }> {
  let seen = count();
  let [first, last] = [NaN, NaN];
  const looking = again(() => {
    const now = count();
    if (now > seen)
      [first, last] = [Number.isNaN(first) ? performance.now() : first, performance.now()];
    seen = now;
    return Promise.resolve();
  });
  return {
    stop: async () => {
      await looking.stop();
      return { first, last };
    },
  };
}

function again(look: () => Promise<void>): Watch<void> {
  let stopped = false;
  const work = async (): Promise<void> => {
    while (!stopped) {
      await look();
      await sleep(EVERY_MS);
    }
  };
  const working = work();
  return {
    stop: async () => {
      stopped = true;
      await working;
    },
  };
}
