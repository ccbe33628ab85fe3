import type { Config } from "../config/schema.js";
import { judgeQuantiles } from "./latency.js";
import type { Sent } from "./observation.js";
import type { AnalysisPlan } from "./plan.js";
import { sorted } from "./statistics/quantiles.js";
import { judgeRate } from "./success.js";
import type { Measure } from "./types.js";

/** A load test or comparison in which k6 made less than this share of the requests decides nothing. */
const MADE = 0.9;

/**
 * The load test: k6's thresholds, and how sure what crossed them is. A threshold that k6 saw crossed
 * never passes.
 *
 * @param crossed Thresholds that k6 says were crossed, `metric expression`.
 */
export function judgeLoad(
  arrived: readonly Sent[],
  { planned }: Pick<AnalysisPlan, "planned">,
  crossed: readonly string[],
  config: Config["analysis"],
): Measure[] {
  if (planned.load === 0) return [];
  const sent = arrived.filter(({ phase }) => phase === "load");
  const ordered = sorted(sent.map(({ status, ms }) => (status === 0 ? Infinity : ms)));
  const failed = sent.filter(({ ok }) => !ok).length;
  const { p95, p99, errors } = config.load;
  const measures = [
    judgeRate("load success", { hits: failed, of: sent.length }, errors, config),
    ...judgeQuantiles("load latency", ordered, { p95, p99 }, config),
  ];
  return measures.map((measure) => {
    const quantile = /p9[59]$/.exec(measure.metric)?.[0].slice(1);
    const isCrossed = crossed.some((one) =>
      quantile === undefined ? /failed.*rate/.test(one) : one.includes(`p(${quantile})`),
    );
    return isCrossed && measure.outcome === "passed"
      ? { ...measure, outcome: "inconclusive", why: `k6 saw its threshold crossed; ${measure.why}` }
      : measure;
  });
}

/** Whether k6 made the requests that it was to make: what was never sent cannot be slow. */
export function judgeMade(
  sent: readonly Sent[],
  { planned }: Pick<AnalysisPlan, "planned">,
  hasStable: boolean,
): Measure[] {
  const asked = [
    ["compare", "canary", planned.compare],
    ...(hasStable ? [["compare", "stable", planned.compare] as const] : []),
    ["load", "canary", planned.load],
  ] as const;
  return asked.flatMap(([phase, track, wanted]): Measure[] => {
    const made = sent.filter((one) => one.phase === phase && one.track === track).length;
    if (made >= MADE * wanted) return [];
    return [
      {
        metric: phase === "load" ? "load rate" : `rate to ${track}`,
        outcome: "inconclusive",
        canary: made,
        threshold: wanted,
        unit: "requests",
        why: `k6 made ${made} of ${wanted} requests to ${track}: it was ended early, or the answers or this machine are too slow for the rate`,
      },
    ];
  });
}
