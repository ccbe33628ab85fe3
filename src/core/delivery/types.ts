import type { Analysis } from "../analysis/types.js";
import type { Config } from "../config/schema.js";
import type { PinnedModel } from "../model/types.js";
import type { KubernetesObject, Track } from "./objects/index.js";

/** Why pods do not become ready. */
export interface Trouble {
  /** For the person who reads it: what, of which pod, in the cluster's own words. */
  readonly why: string;
  /** Waiting does not help: a crash loop, an image that is not there. Otherwise it may pass. */
  readonly certain: boolean;
}

/** A pod, as the cluster shows it. */
export interface Pod {
  readonly name: string;
  readonly track: Track;
  readonly release: number;
  readonly phase: string;
  readonly ready: boolean;
  readonly restarts: number;
  /** The container that says why it is not ready, else the first. */
  readonly container: string;
  /** `CrashLoopBackOff: back-off 10s…`, `Evicted: …`; empty when there is nothing to say. */
  readonly says: string;
  /** It has run before and ended: its last words are in the log of the container before. */
  readonly ended: boolean;
}

/** One of the two Deployments, as the cluster shows it. */
export interface Workload {
  /** Release that its pods are wanted of; 0 when Slipway did not make it. */
  readonly release: number;
  /** The image that its pods are wanted of. */
  readonly image: string;
  /** `metadata.generation`: another number means that somebody changed it. */
  readonly generation: number;
  /** Pods wanted. */
  readonly replicas: number;
  /** Pods that can answer now, of whatever release. */
  readonly available: number;
  /**
   * Every pod that is wanted is of this release and ready for long enough, no other is left, and the
   * Service leads to just them.
   */
  readonly complete: boolean;
  readonly trouble?: Trouble | undefined;
}

/** What decisions rest on: the service in the cluster at one moment. */
export interface Observation {
  readonly stable?: Workload | undefined;
  readonly canary?: Workload | undefined;
  /** Share of the requests that the route gives to the canary, in percent. */
  readonly weight: number;
  /** Whether a header brings requests to the canary whatever the weight. */
  readonly exposed: boolean;
  /** Whether the gateway knows of the canary by its route; true where there is none. */
  readonly named: boolean;
  /** Whether the gateway has taken over the route as it is; true where there is none. */
  readonly routed: boolean;
  /** What the gateway says of a route that it has not taken over. */
  readonly complaint?: string | undefined;
  /** Whether any object of a canary is there, or the route names it. */
  readonly leftovers: boolean;
  readonly pods: readonly Pod[];
}

/**
 * What became of a release.
 *
 * - `pending`: a run is at it, or was and ended without a word
 * - `waiting`: its canary stands, for somebody to promote or abort it
 * - `live`: it serves; `superseded`: it did, until another one
 * - `rolled-back`: it served and was taken back; `failed` and `aborted`: it never served alone
 */
export type Status =
  "pending" | "waiting" | "live" | "superseded" | "rolled-back" | "failed" | "aborted";

/** How far a release that is not finished has come. */
export type Phase = "canary" | "promoting" | "replacing";

/** One step of a canary, as it went. */
export interface StepRecord {
  readonly weight: number;
  /** The share that was really reached: whole pods, where no gateway weighs. */
  readonly percent: number;
  readonly startedAt: string;
  readonly finishedAt?: string | undefined;
  readonly analysis?: Analysis | undefined;
}

/** A release as it is kept in the cluster: all that is needed to bring it back, and how it went. */
export interface ReleaseRecord {
  readonly schema: 1;
  readonly service: string;
  readonly namespace: string;
  readonly number: number;
  readonly kind: "deploy" | "rollback";
  /** The release that a rollback brings back. */
  readonly of?: number | undefined;
  readonly status: Status;
  readonly phase: Phase;
  /** The image by its digest. */
  readonly reference: string;
  /** The tag that it was asked for by. */
  readonly tag?: string | undefined;
  readonly commit?: string | undefined;
  readonly model?: PinnedModel | undefined;
  /** What is applied for it, whole. */
  readonly objects: readonly KubernetesObject[];
  /** Port of its Service. */
  readonly port: number;
  /** Pods of it when it is live. */
  readonly replicas: number;
  readonly config: Config["deploy"];
  /** How its image was verified: who signed, or that it was left out. */
  readonly verified: string;
  readonly by: string;
  /** Id of the run that is at it, or was: `abort` can be told to end that one alone. */
  readonly run: string;
  readonly startedAt: string;
  /** When its canary began to wait. */
  readonly waitingAt?: string | undefined;
  readonly finishedAt?: string | undefined;
  /** Generation of the canary's Deployment when it began to wait. */
  readonly generation?: number | undefined;
  /** Why it ended as it did, or waits. */
  readonly why?: string | undefined;
  readonly steps: readonly StepRecord[];
  /** How often kubectl was started for it, besides the ways to the pods. */
  readonly calls: number;
}

/** How a run ended; the command's exit code says it too. */
export type Outcome = "done" | "failed" | "paused";
