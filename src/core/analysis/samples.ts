import type { MetricQuery } from "../config/analysis.js";
import { oneLine, plural } from "../text.js";
import {
  againstStable,
  againstThreshold,
  combined,
  rounded,
  seen,
  sureWords,
  words,
} from "./judgement.js";
import { atJsonPath, parseJsonPath } from "./json-path.js";
import type { Sample } from "./observation.js";
import { confidenceAbove } from "./statistics/proportions.js";
import { quantile, sorted } from "./statistics/quantiles.js";
import { mannWhitney } from "./statistics/ranks.js";
import type { Measure } from "./types.js";

/** Fewer values than this prove nothing at 95 %: half of the values are on one side by chance. */
const FEWEST = 5;

/** One answer: a number, nothing (no series, NaN, null), or an error. */
type Reading = { readonly value: number } | { readonly error: string } | undefined;

/**
 * Judges the values of one query, asked several times during the analysis. Bounds hold for the median
 * of the values; a query that fails or gives no number as often as it gives one decides nothing.
 *
 * @param stable Its values of stable, where it has a margin and there is a stable version.
 */
export function judgeQuery(
  query: MetricQuery,
  canary: readonly Sample[],
  stable: readonly Sample[] | undefined,
  confidence: number,
): Measure {
  const common = { metric: query.name, unit: query.unit };
  const ours = readings(query, canary);
  const theirs = stable && readings(query, stable);
  for (const [track, read] of [
    ["canary", ours],
    ["stable", theirs],
  ] as const) {
    const trouble = read && troubleOf(read);
    if (trouble) return { ...common, ...trouble, why: `of ${track}: ${trouble.why}` };
  }
  const values = sorted(ours.values);
  const parts = [
    ...bounds(query, values, confidence),
    ...(theirs && query.margin !== undefined
      ? [compare(query, query.margin, values, sorted(theirs.values), confidence)]
      : []),
  ];
  const outcome = combined(parts.map((part) => part.outcome));
  const [worst] = parts.filter((part) => part.outcome === outcome);
  // Without a stable version and without a bound there is nothing to hold it against.
  if (!worst)
    return {
      ...common,
      outcome: "inconclusive",
      why: "there is no stable version to compare with",
    };
  return {
    ...common,
    ...seen("canary", quantile(values, 0.5)),
    ...(theirs ? seen("stable", quantile(sorted(theirs.values), 0.5)) : {}),
    ...worst,
  };
}

interface Readings {
  readonly values: readonly number[];
  readonly errors: readonly string[];
  readonly asked: number;
}

function readings(query: MetricQuery, samples: readonly Sample[]): Readings {
  const read = samples.map((sample) => readSample(query, sample));
  return {
    values: read.flatMap((one) => (one && "value" in one ? [one.value] : [])),
    errors: read.flatMap((one) => (one && "error" in one ? [one.error] : [])),
    asked: samples.length,
  };
}

/** Why these values cannot be judged; undefined when they can. */
function troubleOf({
  values,
  errors,
  asked,
}: Readings): Pick<Measure, "outcome" | "why"> | undefined {
  if (asked === 0 || 2 * errors.length >= asked)
    return {
      outcome: "errored",
      why: `${errors.length} of ${plural(asked, "query", "queries")} failed: ${errors.at(-1) ?? "it was never asked"}`,
    };
  if (values.length < FEWEST || 2 * values.length < asked)
    return {
      outcome: "inconclusive",
      why:
        asked < FEWEST
          ? `it was answered only ${plural(asked, "time")} while requests were made, ${FEWEST} numbers are needed`
          : `only ${values.length} of ${asked} answers held a number (no series, NaN and null are none)`,
    };
  return undefined;
}

/** The number in one answer. */
export function readSample(query: MetricQuery, { status, body, error }: Sample): Reading {
  if (error !== "") return { error: oneLine(error) };
  if (status !== 200) return { error: `HTTP ${status}: ${oneLine(body, 200)}` };
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return { error: `the answer is not JSON: ${oneLine(body, 100)}` };
  }
  return query.query === undefined ? fromJson(parsed, query.value) : fromPrometheus(parsed);
}

function fromJson(answer: unknown, path: string): Reading {
  const found = atJsonPath(answer, parseJsonPath(path) ?? []);
  if (found.length > 1) return { error: `${found.length} values at ${path}; one is needed` };
  const [value] = found;
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "number" && typeof value !== "string")
    return { error: `what is at ${path} is no number` };
  return finite(value);
}

function fromPrometheus(answer: unknown): Reading {
  const at = (path: string): unknown => atJsonPath(answer, parseJsonPath(path) ?? [])[0];
  if (at("$.status") !== "success")
    return { error: `Prometheus: ${oneLine(JSON.stringify(at("$.error") ?? "no success"))}` };
  const kind = at("$.data.resultType");
  if (kind === "scalar") return finite(at("$.data.result[1]"));
  if (kind !== "vector") return { error: `Prometheus gave a ${String(kind)}; a vector is needed` };
  const series = atJsonPath(answer, parseJsonPath("$.data.result[*].value[1]") ?? []);
  if (series.length > 1)
    return { error: `Prometheus gave ${series.length} series; aggregate them to one, with sum()` };
  return series.length === 0 ? undefined : finite(series[0]);
}

/** NaN and infinities are no value: a ratio of nothing to nothing. */
function finite(value: unknown): Reading {
  const text = typeof value === "string" ? value.trim() : value;
  const number = text === "" ? NaN : Number(text);
  return Number.isFinite(number) ? { value: number } : undefined;
}

type Part = Pick<Measure, "outcome" | "why" | "threshold" | "confidence" | "method">;

/** The median against fixed bounds: a sign test. */
function bounds(query: MetricQuery, values: readonly number[], confidence: number): Part[] {
  const median = quantile(values, 0.5);
  const sides = [
    ["maximum", query.maximum, 1],
    ["minimum", query.minimum, -1],
  ] as const;
  return sides.flatMap(([name, limit, sign]): Part[] => {
    if (limit === undefined) return [];
    const beyond = values.filter((value) => sign * (value - limit) > 0).length;
    const sure = confidenceAbove({ hits: beyond, of: values.length }, 0.5);
    return [
      {
        outcome: againstThreshold(sign * (median - limit) > 0, sure, { confidence }),
        threshold: limit,
        confidence: rounded(sure),
        method: "sign test of the median",
        why: `the median of ${values.length} values is ${words(median)}, the ${name} is ${words(limit)}; ${beyond} of them are beyond it`,
      },
    ];
  });
}

function compare(
  query: MetricQuery,
  percent: number,
  ours: readonly number[],
  theirs: readonly number[],
  confidence: number,
): Part {
  const sign = query.better === "lower" ? 1 : -1;
  const [mine, other] = [quantile(ours, 0.5), quantile(theirs, 0.5)];
  const margin = Math.max(query.floor, (Math.abs(other) * percent) / 100);
  const turned = (values: readonly number[], shift: number): number[] =>
    values.map((value) => sign * value + shift);
  const beyond = 1 - mannWhitney(turned(ours, 0), turned(theirs, margin)).p;
  const differs = 1 - mannWhitney(turned(ours, 0), turned(theirs, 0)).p;
  const isSeen = sign * (mine - other) > margin;
  return {
    outcome: againstStable(beyond, { seen: isSeen, sure: differs }, { confidence }),
    threshold: rounded(other + sign * margin),
    confidence: rounded(beyond),
    method: "Mann and Whitney's U test, stable's values with the margin added",
    why: `the median is ${words(mine)}, of stable ${words(other)}; ${words(margin)} ${sign > 0 ? "more" : "less"} may be; ${sureWords(beyond)} that it is worse by more than that`,
  };
}
