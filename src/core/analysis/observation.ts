import * as z from "zod";
import type { Track } from "./types.js";

/** One request that was made, of those that are compared or of the load test. */
export interface Sent {
  readonly track: Track;
  readonly phase: "warmup" | "compare" | "load";
  /** Which of the recorded requests. */
  readonly index: number;
  /** Which way to a pod it took. */
  readonly way: number;
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** Whether the status is the one that was wanted. */
  readonly ok: boolean;
  /** Milliseconds until the whole answer was there, or until it was given up. */
  readonly ms: number;
  /** When it began, milliseconds of the epoch. */
  readonly at: number;
  /** The answer, of the first requests whose predictions are compared. */
  readonly body?: string;
  /** Whether the answer would have been kept, were it not longer than what is kept. */
  readonly tooLong?: true;
}

const pod = z.object({
  name: z.string(),
  uid: z.string(),
  ready: z.boolean(),
  restarts: z.number(),
  /** Why its containers wait or ended, as Kubernetes names it: `CrashLoopBackOff`. */
  reason: z.string(),
});

const seen = z.object({ before: z.array(pod), after: z.array(pod).nullable() });

const sample = z.object({
  query: z.number(),
  track: z.enum(["canary", "stable"]),
  status: z.number(),
  body: z.string(),
  /** Why there was no answer; empty when there was one. */
  error: z.string(),
});

/** `observation.json`, as `python/load.py` writes it. */
const observation = z.object({
  startedAt: z.string(),
  finishedAt: z.string(),
  /** Why nothing could be looked at; empty when something was. */
  problem: z.string(),
  /** Null when they were not seen; the same of `after`. */
  pods: z.object({ canary: seen, stable: seen.optional() }).nullable(),
  /** Ways to pods that broke, and when (milliseconds of the epoch), with what kubectl said. */
  breaks: z.array(z.object({ way: z.number(), at: z.number(), said: z.string() })),
  /** Null when k6 was not run. */
  k6: z
    .object({
      exitCode: z.number(),
      said: z.string(),
      /** Expressions of thresholds that were crossed, by metric. */
      crossed: z.array(z.string()),
    })
    .nullable(),
  samples: z.array(sample),
});

/** What was seen during one look at a canary. */
export type Observation = z.infer<typeof observation>;
export type PodSeen = z.infer<typeof pod>;
export type Sample = z.infer<typeof sample>;

/** Reads `observation.json`; undefined when it is not one. */
export function readObservation(text: string | undefined): Observation | undefined {
  try {
    return observation.safeParse(JSON.parse(text ?? "")).data;
  } catch {
    return undefined;
  }
}

const line = z.tuple([
  z.enum(["canary", "stable"]),
  z.enum(["warmup", "compare", "load"]),
  z.number(),
  z.number(),
  z.number(),
  z.number(),
  z.number(),
  z.number(),
  // Null when it was not to be kept, false when it is too long for that.
  z.union([z.string(), z.literal(false)]).nullable(),
]);

/**
 * Reads the lines that `k6/load.js` wrote, one a request.
 *
 * @returns undefined when one of them cannot be read: the others may be as wrong.
 */
export function readSent(text: string): Sent[] | undefined {
  const lines = text.split("\n");
  // A k6 that was ended may leave half a line.
  lines.pop();
  const sent: Sent[] = [];
  for (const each of lines) {
    if (each === "") continue;
    const read = parseLine(each);
    if (!read) return undefined;
    const [track, phase, index, way, status, ok, ms, at, body] = read;
    sent.push({
      ...{ track, phase, index, way, status, ok: ok === 1, ms, at },
      ...(body === false && { tooLong: true }),
      ...(typeof body === "string" && { body }),
    });
  }
  return sent;
}

function parseLine(text: string): z.infer<typeof line> | undefined {
  try {
    return line.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/**
 * What kubectl, a kubelet or a runtime (containerd, CRI-O) says when it was reached, and it is the pod that
 * takes no connection, breaks one off, or has ended.
 */
const POD_REFUSES = new RegExp(
  [
    "inside namespace",
    "network namespace",
    "pod is not running",
    "container (?:is )?not running",
    "pods \\S+ not found",
    "pod not found",
    "failed to find sandbox",
  ].join("|"),
);

/** What is said of the way whatever else is said: no kubelet was reached, or it was k6 that hung up. */
const WAY_BREAKS = /error dialing backend|Unable to connect to the server|closed stream/;

function isThePods(said: string): boolean {
  return said.split("\n").some((line) => POD_REFUSES.test(line) && !WAY_BREAKS.test(line));
}

/** Milliseconds around the break of a way in which a request on it may have been lost. */
const AROUND = 1500;

/**
 * Whether a request got no answer because the way to the pod broke (the API server went away), which
 * says nothing of the pod. When it is the pod that took no connection or broke it off, the request counts.
 */
export function isLost(sent: Sent, breaks: Observation["breaks"]): boolean {
  if (sent.status !== 0) return false;
  const end = sent.at + sent.ms;
  return breaks.some(
    ({ way, at, said }) =>
      way === sent.way && !isThePods(said) && at >= sent.at - AROUND && at <= end + AROUND,
  );
}
