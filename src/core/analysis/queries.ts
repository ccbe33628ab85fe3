import type { MetricQuery } from "../config/analysis.js";
import type { Config } from "../config/schema.js";
import { SlipwayError } from "../errors.js";
import type { Track } from "./types.js";

/** What placeholders of a query stand for. */
export interface Places {
  readonly namespace: string;
  readonly name: string;
  readonly release: string;
}

/** The label `slipway.dev/track` of the pods that are looked at: a promoted release's pods are labelled stable. */
export interface Labels {
  readonly canary: Track;
  /** Absent when there is nothing to compare with. */
  readonly stable?: Track;
}

/** One address to ask for a number, again and again. */
export interface Asked {
  /** Index in `analysis.queries`. */
  readonly query: number;
  /** Whose value it is; not what {{track}} stands for, which is the label of the pods. */
  readonly track: Track;
  readonly url: string;
}

/**
 * What is asked during an analysis: each query of the canary, and of stable where the two are compared.
 *
 * @throws SlipwayError CONFIG for an unknown placeholder, or PromQL without analysis.prometheus.
 */
export function askedOf(
  { queries, prometheus }: Pick<Config["analysis"], "queries" | "prometheus">,
  places: Places,
  { canary, stable }: Labels,
): Asked[] {
  return queries.flatMap((one, index) => {
    const of = (track: Track, label: Track): Asked => ({
      query: index,
      track,
      url: address(one, prometheus, { ...places, track: label }),
    });
    const ours = of("canary", canary);
    return one.margin !== undefined && stable !== undefined ? [ours, of("stable", stable)] : [ours];
  });
}

function address(
  { name, query, url }: MetricQuery,
  prometheus: string | undefined,
  values: Readonly<Record<string, string>>,
): string {
  if (query === undefined) return fill(name, url ?? "", values, encodeURIComponent);
  if (prometheus === undefined)
    throw new SlipwayError(
      "CONFIG",
      `analysis.queries "${name}" is for Prometheus, and analysis.prometheus is not set: give its base URL.`,
    );
  const text = fill(name, query, values, (value) => value);
  return `${prometheus.replace(/\/+$/, "")}/api/v1/query?query=${encodeURIComponent(text)}`;
}

function fill(
  name: string,
  text: string,
  values: Readonly<Record<string, string>>,
  encode: (value: string) => string,
): string {
  return text.replace(/\{\{\s*([\w-]+)\s*\}\}/g, (_, key: string) => {
    const value = values[key];
    if (value === undefined)
      throw new SlipwayError(
        "CONFIG",
        `analysis.queries "${name}" has the placeholder {{${key}}}; there are ${Object.keys(values)
          .map((each) => `{{${each}}}`)
          .join(", ")}.`,
      );
    return encode(value);
  });
}
