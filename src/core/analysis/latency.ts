import type { Config } from "../config/schema.js";
import {
  againstStable,
  againstThreshold,
  rounded,
  seen,
  sureWords,
  words,
  type Rules,
} from "./judgement.js";
import { confidenceAbove } from "./statistics/proportions.js";
import { confidenceApart, neededFor, quantile, sorted } from "./statistics/quantiles.js";
import { mannWhitney } from "./statistics/ranks.js";
import { tooFew } from "./success.js";
import type { Measure } from "./types.js";

const QUANTILES = { p50: 0.5, p95: 0.95, p99: 0.99 } as const;
type QuantileName = keyof typeof QUANTILES;

/** Quantiles that are compared with stable; the median is, by the ranks of all. */
const TAILS = ["p95", "p99"] as const;

/** Measures of the latency, and what could not be compared. */
export interface LatencyJudgement {
  readonly measures: readonly Measure[];
  readonly notices: readonly string[];
}

/**
 * Latency: quantiles against thresholds, and against stable by Mann and Whitney's U test of all
 * requests and by the bounds of the tails.
 *
 * @param canary Milliseconds; Infinity for a request without an answer, which is slower than any.
 */
export function judgeLatency(
  canary: readonly number[],
  stable: readonly number[] | undefined,
  config: Config["analysis"],
): LatencyJudgement {
  const ours = sorted(canary);
  const limits = judgeQuantiles("latency", ours, config.latency, config);
  if (!stable) return { measures: limits, notices: [] };
  const theirs = sorted(stable);
  const needed = (name: QuantileName): number =>
    neededFor(QUANTILES[name], 1 - (1 - config.confidence) / 2);
  const fewest = Math.min(ours.length, theirs.length);
  const seenTails = TAILS.filter((name) => fewest >= needed(name));
  const notices = TAILS.filter((name) => fewest >= config.minimum && fewest < needed(name)).map(
    (name) =>
      `latency ${name} was not compared with stable: that takes ${needed(name)} requests to each, there were ${fewest}`,
  );
  const tails = seenTails.map((name) => compareTail(name, ours, theirs, config));
  return { measures: [...limits, compareAll(ours, theirs, config), ...tails], notices };
}

/**
 * Quantiles against thresholds, of those that have one. That a quantile is above a limit is that more
 * than its share of requests is: an exact binomial test.
 *
 * @param ordered In rising order.
 */
export function judgeQuantiles(
  metric: string,
  ordered: readonly number[],
  limits: Readonly<Partial<Record<QuantileName, number | undefined>>>,
  rules: Rules,
): Measure[] {
  return (Object.keys(QUANTILES) as QuantileName[]).flatMap((name): Measure[] => {
    const limit = limits[name];
    if (limit === undefined) return [];
    const found = quantile(ordered, QUANTILES[name]);
    const common = {
      metric: `${metric} ${name}`,
      unit: "ms",
      threshold: limit,
      ...seen("canary", found),
    };
    if (ordered.length < rules.minimum)
      return [{ ...common, outcome: "inconclusive", why: tooFew(ordered.length, rules.minimum) }];
    const above = ordered.filter((ms) => ms > limit).length;
    const sure = confidenceAbove({ hits: above, of: ordered.length }, 1 - QUANTILES[name]);
    return [
      {
        ...common,
        outcome: againstThreshold(found > limit, sure, rules),
        confidence: rounded(sure),
        method: "exact binomial test of the requests above the threshold",
        why: `${name} is ${words(found)} ms, ${limit} ms may be: ${above} of ${ordered.length} requests took longer; ${sureWords(sure)} that it is above`,
      },
    ];
  });
}

function compareAll(
  ours: readonly number[],
  theirs: readonly number[],
  config: Config["analysis"],
): Measure {
  const [mine, other] = [quantile(ours, 0.5), quantile(theirs, 0.5)];
  const margin = marginOf(other, config.latency);
  const common = {
    metric: "latency against stable",
    unit: "ms",
    ...seen("canary", mine),
    ...seen("stable", other),
    ...seen("threshold", other + margin),
  };
  const fewest = Math.min(ours.length, theirs.length);
  if (fewest < config.minimum)
    return { ...common, outcome: "inconclusive", why: tooFew(fewest, config.minimum) };
  const beyond =
    1 -
    mannWhitney(
      ours,
      theirs.map((ms) => ms + margin),
    ).p;
  const { p, superiority } = mannWhitney(ours, theirs);
  const outcome = againstStable(beyond, { seen: mine > other + margin, sure: 1 - p }, config);
  return {
    ...common,
    outcome,
    confidence: rounded(beyond),
    method: "Mann and Whitney's U test, stable's times with the margin added",
    why: `the median is ${words(mine)} ms, of stable ${words(other)} ms, ${words(margin)} ms more may be; of two requests the canary's is the slower in ${words(100 * superiority)} %; ${sureWords(beyond)} that it is slower by more than that`,
  };
}

function compareTail(
  name: (typeof TAILS)[number],
  ours: readonly number[],
  theirs: readonly number[],
  config: Config["analysis"],
): Measure {
  const p = QUANTILES[name];
  const [mine, other] = [quantile(ours, p), quantile(theirs, p)];
  const margin = marginOf(other, config.latency);
  const beyond = confidenceApart(ours, theirs, p, margin);
  const differs = confidenceApart(ours, theirs, p, 0);
  const common = {
    metric: `latency ${name} against stable`,
    unit: "ms",
    ...seen("canary", mine),
    ...seen("stable", other),
    ...seen("threshold", other + margin),
  };
  if (Math.min(ours.length, theirs.length) < config.minimum)
    return {
      ...common,
      outcome: "inconclusive",
      why: tooFew(Math.min(ours.length, theirs.length), config.minimum),
    };
  return {
    ...common,
    outcome: againstStable(beyond, { seen: mine > other + margin, sure: differs }, config),
    confidence: rounded(beyond),
    method: "bounds of the quantiles by order statistics",
    why: `${name} is ${words(mine)} ms, of stable ${words(other)} ms, ${words(margin)} ms more may be; ${sureWords(beyond)} that it is slower by more than that`,
  };
}

/** Milliseconds by which the canary may be slower. */
function marginOf(stable: number, { margin, floor }: Config["analysis"]["latency"]): number {
  return Number.isFinite(stable) ? Math.max(floor, (stable * margin) / 100) : floor;
}
