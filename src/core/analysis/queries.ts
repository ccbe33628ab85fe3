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
  /** Whether the bearer token of the metrics server goes with it. */
  readonly token: boolean;
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
      token: false,
    });
    const ours = of("canary", canary);
    return one.margin !== undefined && stable !== undefined ? [ours, of("stable", stable)] : [ours];
  });
}

/**
 * Gives the bearer token to whom it is for: the origin of analysis.prometheus, else the only one there is.
 *
 * @throws SlipwayError CONFIG when there are several, and nothing says which.
 */
export function withToken(
  asked: readonly Asked[],
  { prometheus }: Pick<Config["analysis"], "prometheus">,
): Asked[] {
  const origins = [...new Set(asked.map(({ url }) => originOf(url)))];
  if (prometheus === undefined && origins.length > 1)
    throw new SlipwayError(
      "CONFIG",
      `analysis.queries ask ${origins.join(" and ")}, and the token (metricsToken, METRICS_TOKEN) is for one of them: set analysis.prometheus to the base URL of that one, or give no token.`,
    );
  const [only] = origins;
  const meant = prometheus === undefined ? only : originOf(prometheus);
  return asked.map((one) => ({ ...one, token: originOf(one.url) === meant }));
}

/** `https://metrics.example:9090`; what is no URL is asked in vain, whatever goes with it. */
function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : url;
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
