import { judge } from "../../../src/core/analysis/judge.js";
import type { Observation, PodSeen, Sent } from "../../../src/core/analysis/observation.js";
import { planOf } from "../../../src/core/analysis/plan.js";
import { defaultRequests, type RecordedRequest } from "../../../src/core/analysis/requests.js";
import type { Analysis, Track } from "../../../src/core/analysis/types.js";
import { resolveConfig } from "../../../src/core/config/resolve.js";
import type { Config } from "../../../src/core/config/schema.js";

/** `[tool.slipway.analysis]` with these settings. */
export function configured(...set: string[]): Config["analysis"] {
  return resolveConfig({ pyproject: undefined, set: set.map((one) => `analysis.${one}`) }).config
    .analysis;
}

export const pod = (name: string, more: Partial<PodSeen> = {}): PodSeen => ({
  ...{ name, uid: `uid-of-${name}`, ready: true, restarts: 0, reason: "" },
  ...more,
});

const PODS = { before: [pod("one")], after: [pod("one")] };

/** A look at which nothing went wrong. */
export const well = (more: Partial<Observation> = {}): Observation => ({
  startedAt: "2026-11-25T12:00:00.000Z",
  finishedAt: "2026-11-25T12:00:22.000Z",
  problem: "",
  pods: { canary: PODS, stable: PODS },
  breaks: [],
  k6: { exitCode: 0, said: "", crossed: [] },
  samples: [],
  ...more,
});

export const request = (track: Track, more: Partial<Sent> = {}): Sent => ({
  ...{ track, phase: "compare", index: 0, way: track === "canary" ? 0 : 1 },
  ...{ status: 200, ok: true, ms: 10, at: 1000 },
  ...more,
});

/** So many requests, of which the first few fail. */
export function requests(track: Track, count: number, failed = 0, ms = 10): Sent[] {
  return Array.from({ length: count }, (_, index) =>
    request(track, { ms, ...(index < failed ? { status: 500, ok: false } : {}) }),
  );
}

interface Judged {
  readonly sent: readonly Sent[];
  readonly config?: Config["analysis"];
  readonly observation?: Observation;
  readonly tracks?: readonly Track[];
  readonly recorded?: readonly RecordedRequest[];
  readonly load?: boolean;
}

/** The judgement of what was seen. */
export function judged({
  sent,
  config = configured(),
  observation = well(),
  tracks = ["canary", "stable"],
  recorded = defaultRequests("/readyz"),
  load = false,
}: Judged): Analysis {
  const plan = planOf(config, { tracks, requests: recorded, host: "orders", load });
  return judge({ config, plan, observation, sent, hasModel: false });
}

/** The outcome of one measure; `absent` when there is none. */
export function outcomeOf({ measures }: Analysis, metric: string): string {
  return measures.find((one) => one.metric === metric)?.outcome ?? "absent";
}
