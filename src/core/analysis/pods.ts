import { plural } from "../text.js";
import type { Observation, PodSeen } from "./observation.js";
import type { Measure } from "./types.js";

/** Restarts during the look, and whether all pods are ready at its end; nothing here is by chance. */
export function judgePods(pods: Observation["pods"], allowed: number): Measure[] {
  const { before, after } = pods?.canary ?? { before: [], after: null };
  // Not seen is neither well nor ill; that the cluster did not answer is an error of its own.
  if (!after) return [];
  return [judgeRestarts(before, after, allowed), judgeReadiness(before, after)];
}

function judgeRestarts(
  before: readonly PodSeen[],
  after: readonly PodSeen[],
  allowed: number,
): Measure {
  const earlier = new Map(before.map((pod) => [pod.uid, pod.restarts]));
  const restarted = after
    .map((pod) => ({ ...pod, more: pod.restarts - (earlier.get(pod.uid) ?? 0) }))
    .filter(({ more }) => more > 0);
  const count = restarted.reduce((sum, { more }) => sum + more, 0);
  const names = restarted.map(({ name, more, reason }) => {
    const because = reason === "" ? "" : ` (${reason})`;
    return `${name}: ${more}${because}`;
  });
  return {
    metric: "restarts",
    outcome: count > allowed ? "failed" : "passed",
    canary: count,
    threshold: allowed,
    unit: "restarts",
    why: `${plural(count, "restart")} of the canary's pods, ${allowed} may be${names.length > 0 ? `; ${names.join(", ")}` : ""}`,
  };
}

function judgeReadiness(before: readonly PodSeen[], after: readonly PodSeen[]): Measure {
  const waiting = after.filter(({ ready }) => !ready);
  const ready = after.length - waiting.length;
  const gone = before.filter(({ uid }) => after.every((pod) => pod.uid !== uid));
  const isIll = after.length === 0 || waiting.length > 0;
  const notes = [
    ...waiting.map(
      ({ name, reason }) => `${name} is not ready${reason === "" ? "" : ` (${reason})`}`,
    ),
    ...gone.map(({ name }) => `${name} is gone`),
  ];
  return {
    metric: "readiness",
    // Of one that was evicted or deleted nobody knows what it did; what took its place may be ready.
    outcome: isIll ? "failed" : gone.length > 0 ? "inconclusive" : "passed",
    canary: ready,
    threshold: Math.max(1, after.length),
    unit: "pods",
    why:
      after.length === 0
        ? "the canary has no pod"
        : [`${ready} of ${plural(after.length, "pod")} ready`, ...notes].join("; "),
  };
}
