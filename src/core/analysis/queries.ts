import type { MetricQuery } from "../config/analysis.js";
import type { Config } from "../config/schema.js";
import { SlipwayError, type Problem } from "../errors.js";
import type { Track } from "./types.js";

type QueryConfig = Pick<Config["analysis"], "queries" | "prometheus">;

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
 * @param hasToken Whether there is a bearer token: it goes to the origin of analysis.prometheus, else to
 *   the only one there is.
 * @throws SlipwayError CONFIG with all that `queryProblems` finds.
 */
export function askedOf(
  config: QueryConfig,
  places: Places,
  labels: Labels,
  hasToken: boolean,
): Asked[] {
  const problems = queryProblems(config, places, labels, hasToken);
  if (problems.length > 0)
    throw new SlipwayError("CONFIG", "analysis.queries cannot be asked:", problems);
  const addresses = addressesOf(config, places, labels);
  const meant = config.prometheus ?? addresses[0]?.url ?? "";
  return addresses.map(({ query, track, url }) => ({
    ...{ query, track, url },
    token: hasToken && originOf(url) === originOf(meant),
  }));
}

/**
 * All that is wrong with analysis.queries, before any of them is asked: an unknown placeholder, PromQL
 * without analysis.prometheus, what is no URL, and a token of which nothing says whom it is for.
 */
export function queryProblems(
  config: QueryConfig,
  places: Places,
  labels: Labels,
  hasToken: boolean,
): Problem[] {
  const { queries, prometheus } = config;
  const found = queries.flatMap((one) => problemsOf(one, prometheus));
  if (found.length > 0) return found;
  const addresses = addressesOf(config, places, labels);
  const none = new Set(addresses.filter(({ url }) => !URL.canParse(url)).map(({ query }) => query));
  if (none.size > 0)
    return [...none].map((index) => problem(queries[index], "its address is no URL"));
  const origins = [...new Set(addresses.map(({ url }) => originOf(url)))];
  if (!hasToken || prometheus !== undefined || origins.length < 2) return [];
  return [
    {
      source: "analysis.queries",
      message: `they ask ${origins.join(" and ")}, and the token (metricsToken, METRICS_TOKEN) is for one of them: set analysis.prometheus to the base URL of that one, or give no token`,
    },
  ];
}

function problemsOf(one: MetricQuery, prometheus: string | undefined): Problem[] {
  const lacks = one.query !== undefined && prometheus === undefined;
  const unknown = [...(one.query ?? one.url ?? "").matchAll(PLACEHOLDER)]
    .map(([, key = ""]) => key)
    .filter((key) => !PLACEHOLDERS.includes(key));
  const known = PLACEHOLDERS.map((each) => `{{${each}}}`).join(", ");
  return [
    ...(lacks
      ? [
          problem(
            one,
            "it is for Prometheus, and analysis.prometheus is not set: give its base URL",
          ),
        ]
      : []),
    ...[...new Set(unknown)].map((key) =>
      problem(one, `it has the placeholder {{${key}}}; there are ${known}`),
    ),
  ];
}

function problem(one: MetricQuery | undefined, message: string): Problem {
  return { source: "analysis.queries", key: `"${one?.name ?? ""}"`, message };
}

/** What each query asks and of whom, filled in as it stands: nothing is judged. */
function addressesOf(
  { queries, prometheus = "" }: QueryConfig,
  places: Places,
  { canary, stable }: Labels,
): Omit<Asked, "token">[] {
  return queries.flatMap((one, index) => {
    const of = (track: Track, label: Track) => ({
      ...{ query: index, track },
      url: address(one, prometheus, { ...places, track: label }),
    });
    const ours = of("canary", canary);
    return one.margin !== undefined && stable !== undefined ? [ours, of("stable", stable)] : [ours];
  });
}

/** `https://metrics.example:9090` */
function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : url;
}

function address({ query, url = "" }: MetricQuery, prometheus: string, values: Filled): string {
  if (query === undefined) return fill(url, values, encodeURIComponent);
  const text = fill(query, values, (value) => value);
  return `${prometheus.replace(/\/+$/, "")}/api/v1/query?query=${encodeURIComponent(text)}`;
}

/** What is filled in, by placeholder. */
type Filled = Places & { readonly track: Track };

const PLACEHOLDERS: readonly string[] = [
  "namespace",
  "name",
  "release",
  "track",
] satisfies (keyof Filled)[];

const PLACEHOLDER = /\{\{\s*([\w-]+)\s*\}\}/g;

function fill(text: string, values: Filled, encode: (value: string) => string): string {
  return text.replace(PLACEHOLDER, (whole, key: string) =>
    key in values ? encode(values[key as keyof Filled]) : whole,
  );
}
