import type { Config } from "../config/schema.js";
import { lastLines, plural } from "../text.js";
import { byGravity, combined } from "./judgement.js";
import { judgeLatency } from "./latency.js";
import { judgeLoad, judgeMade } from "./load.js";
import { isLost, type Observation, type Sent } from "./observation.js";
import type { AnalysisPlan } from "./plan.js";
import { judgePods } from "./pods.js";
import { judgePredictions } from "./predictions.js";
import { judgeQuery } from "./samples.js";
import type { Count } from "./statistics/proportions.js";
import { judgeSuccess } from "./success.js";
import type { Analysis, Measure, Track } from "./types.js";

/** k6's exit code when a threshold was crossed: it worked. */
const CROSSED = 99;

/** What there is to judge. */
export interface JudgeInputs {
  readonly config: Config["analysis"];
  readonly plan: AnalysisPlan;
  readonly observation: Observation;
  readonly sent: readonly Sent[];
  /** Whether the service has a model, so that predictions ought to be compared. */
  readonly hasModel: boolean;
}

interface Judgements {
  readonly measures: readonly Measure[];
  readonly notices: readonly string[];
}

/** Of an analysis that could not look: nothing is known. */
export function analysisErrored(why: string, startedAt: Date, finishedAt = new Date()): Analysis {
  return {
    outcome: "errored",
    measures: [],
    requests: { canary: 0, stable: 0, failed: 0 },
    startedAt: startedAt.toISOString(),
    finishedAt: finishedAt.toISOString(),
    why,
    notices: [],
  };
}

/** Judges what was seen during one look at a canary. */
export function judge({ config, plan, observation, sent, hasModel }: JudgeInputs): Analysis {
  const { pods, breaks, problem } = observation;
  const hasStable = plan.tracks.includes("stable");
  const arrived = sent.filter((one) => !isLost(one, breaks));
  const compared = arrived.filter(({ phase }) => phase === "compare");
  const of = (track: Track): Sent[] => compared.filter((one) => one.track === track);
  const [canary, stable] = [of("canary"), hasStable ? of("stable") : undefined];
  const latency = judgeLatency(times(canary), stable && times(stable), config);
  const predictions = stable && predicted(compared, { config, plan, hasModel });
  const queried = judgeQueries(observation, config, hasStable);
  const measures: Measure[] = [
    ...judgePods(pods, config.restarts),
    ...judgeSuccess(failures(canary), stable && failures(stable), config),
    ...latency.measures,
    ...(predictions?.measures ?? []),
    ...queried.measures,
    ...judgeLoad(arrived, plan, observation.k6?.crossed ?? [], config),
    ...judgeMade(sent, plan, hasStable),
    ...troubles(observation, sent, arrived),
  ];
  const outcome = combined(measures.map((measure) => measure.outcome));
  return {
    outcome,
    measures,
    requests: {
      canary: canary.length,
      stable: stable?.length ?? 0,
      failed: canary.filter(({ ok }) => !ok).length,
    },
    startedAt: observation.startedAt,
    finishedAt: observation.finishedAt,
    why: whyOf(measures, problem),
    notices: [
      ...(hasStable ? [] : ["there is no stable version to compare with: thresholds alone decide"]),
      ...latency.notices,
      ...queried.notices,
      ...(predictions?.notices ?? []),
    ],
  };
}

/** Errors of what looks, so that nothing that was half seen passes. */
function troubles(
  { problem, pods, k6, breaks }: Observation,
  sent: readonly Sent[],
  arrived: readonly Sent[],
): Measure[] {
  const error = (metric: string, why: string): Measure => ({
    metric,
    outcome: "errored",
    unit: "",
    why,
  });
  return [
    ...(problem === "" ? [] : [error("access", problem)]),
    ...(k6 && k6.exitCode !== 0 && k6.exitCode !== CROSSED
      ? [error("k6", `k6 exited with ${k6.exitCode}: ${lastLines(k6.said, 3)}`)]
      : []),
    ...(problem === "" && !pods?.canary.after ? [error("access", "the pods were not seen")] : []),
    ...(problem === "" && !k6 ? [error("k6", "k6 was not run")] : []),
    ...lostOnTheWay(sent, arrived).map((lost) =>
      error(
        "access",
        `the way to the pods broke ${plural(breaks.length, "time")} and ${lost} were lost on it: ${lastLines(breaks.at(-1)?.said ?? "", 1)}`,
      ),
    ),
  ];
}

/** Of what is judged by itself, where more than a tenth was lost; the warm-up is not judged. */
function lostOnTheWay(sent: readonly Sent[], arrived: readonly Sent[]): string[] {
  const judged = [
    ["compare", "canary"],
    ["compare", "stable"],
    ["load", "canary"],
  ] as const;
  return judged.flatMap(([phase, track]) => {
    const isOfIt = (one: Sent): boolean => one.phase === phase && one.track === track;
    const made = sent.filter(isOfIt).length;
    const lost = made - arrived.filter(isOfIt).length;
    const kind = phase === "load" ? "requests of the load test" : `requests to ${track}`;
    return 10 * lost > made ? [`${lost} of ${made} ${kind}`] : [];
  });
}

function predicted(
  compared: readonly Sent[],
  { config, plan, hasModel }: Pick<JudgeInputs, "config" | "plan" | "hasModel">,
): Judgements {
  if (plan.k6.requests.some(({ keep }) => keep)) {
    const { measure, notices } = judgePredictions(compared, plan.k6.requests, config);
    return { measures: [measure], notices };
  }
  const missing = `predictions were not compared: no recorded request (analysis.requests) asks for ${config.predictions.path} (analysis.predictions.path)`;
  return { measures: [], notices: hasModel ? [missing] : [] };
}

/** All queries; one that only compares has nothing to say without a stable version. */
function judgeQueries(
  observation: Observation,
  config: Config["analysis"],
  hasStable: boolean,
): Judgements {
  const idle = config.queries.filter(
    ({ minimum, maximum }) => !hasStable && minimum === undefined && maximum === undefined,
  );
  const measures = config.queries.flatMap((query, index) => {
    if (idle.includes(query)) return [];
    const stable = query.margin !== undefined && hasStable;
    return [
      judgeQuery(
        query,
        samplesOf(observation, index, "canary"),
        stable ? samplesOf(observation, index, "stable") : undefined,
        config.confidence,
      ),
    ];
  });
  const notices = idle.map(({ name }) => `${name} was not judged: it only compares with stable`);
  return { measures, notices };
}

function times(sent: readonly Sent[]): number[] {
  return sent.map(({ status, ms }) => (status === 0 ? Infinity : ms));
}

/** Requests that failed, of all. */
function failures(sent: readonly Sent[]): Count {
  return { hits: sent.filter(({ ok }) => !ok).length, of: sent.length };
}

function samplesOf({ samples }: Observation, index: number, of: Track): Observation["samples"] {
  return samples.filter(({ query, track }) => query === index && track === of);
}

function whyOf(measures: readonly Measure[], problem: string): string {
  const outcome = combined(measures.map((measure) => measure.outcome));
  const bad = byGravity(measures).filter((measure) => measure.outcome === outcome);
  if (outcome === "passed")
    return `${plural(measures.length, "measure")} passed: ${measures.map(({ metric }) => metric).join(", ")}`;
  if (problem !== "" && outcome === "errored") return problem;
  const first = bad.slice(0, 3).map(({ metric, why }) => `${metric}: ${why}`);
  const more = bad.length > 3 ? `, and ${bad.length - 3} more` : "";
  return `${first.join("; ")}${more}`;
}
