/**
 * How one look at a canary ended. `failed`: it is worse, and that is sure enough. `inconclusive`: there
 * is not enough evidence either way. `errored`: what looks did not work, which says nothing of the canary.
 */
export type Outcome = "passed" | "failed" | "inconclusive" | "errored";

/** The release that is looked at, or the one it is compared with. */
export type Track = "canary" | "stable";

/** One question, and its answer. */
export interface Measure {
  /** `success`, `latency p95`, `restarts`, the name of a query... */
  readonly metric: string;
  readonly outcome: Outcome;
  /** What was seen of the canary, in `unit`. Absent when nothing was, or when it is without bound. */
  readonly canary?: number;
  /** What was seen of stable at the same time, where the canary is compared with it. */
  readonly stable?: number;
  /** What the canary is held against, in `unit`. */
  readonly threshold?: number;
  /** `%`, `ms`, or the query's own. */
  readonly unit: string;
  /** How sure it is, from 0 to 1, that the canary is worse than allowed; a failure needs `analysis.confidence`. */
  readonly confidence?: number;
  /** The statistical method that decided. */
  readonly method?: string;
  /** A sentence for a person. */
  readonly why: string;
}

/** All that one look at a canary found. */
export interface Analysis {
  readonly outcome: Outcome;
  readonly measures: readonly Measure[];
  /** Requests that Slipway made itself and that count; `failed` of the canary's. */
  readonly requests: {
    readonly canary: number;
    readonly stable: number;
    readonly failed: number;
  };
  /** ISO 8601. */
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly why: string;
  /** What was not looked at, and why. */
  readonly notices: readonly string[];
}
