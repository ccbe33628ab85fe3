import type { Config } from "../config/schema.js";
import { rounded } from "./judgement.js";
import { LONGEST_ANSWER } from "./predictions.js";
import { asksFor, type RecordedRequest } from "./requests.js";
import type { Track } from "./types.js";

/** How often a query is asked during one analysis. */
const POLLS = 10;

/** Most connections at once of one version: what waits longer is dropped, and counted. */
const MOST_AT_ONCE = 500;

/** What `k6/load.js` reads. */
export interface LoadPlan {
  /** k6's own options: scenarios and thresholds. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly requests: readonly (RecordedRequest & { readonly keep: boolean })[];
  /** `Host` header of requests that name none. */
  readonly host: string;
  readonly warmupSeconds: number;
  /** Requests a second to each version. */
  readonly rate: number;
  readonly timeoutSeconds: number;
  /** Characters of the longest answer that is kept. */
  readonly longestAnswer: number;
}

/** What one analysis does. */
export interface AnalysisPlan {
  readonly tracks: readonly Track[];
  readonly k6: LoadPlan;
  /** Requests to each version that are compared, and those of the load test. */
  readonly planned: { readonly compare: number; readonly load: number };
  /** When queries are asked, seconds after the beginning: in the second half, when there is something to see. */
  readonly polls: readonly number[];
  /** Seconds after the beginning at which the comparison is over, and nothing is asked any more. */
  readonly end: number;
  /** Seconds until all is over, when everything takes as long as it may. */
  readonly limit: number;
}

interface PlanInputs {
  readonly tracks: readonly Track[];
  readonly requests: readonly RecordedRequest[];
  readonly host: string;
  /** Seconds to compare, in place of `analysis.duration`. */
  readonly seconds?: number | undefined;
  /** Whether the load test follows. */
  readonly load: boolean;
}

/** The requests, their rates and times, and what k6 itself watches. */
export function planOf(
  config: Config["analysis"],
  { tracks, requests, host, seconds = config.duration, load }: PlanInputs,
): AnalysisPlan {
  const { rate, warmup, timeout } = config;
  const whole = warmup + seconds;
  const loadRate = load ? config.load.rate : undefined;
  const compare = Object.fromEntries(
    tracks.map((track) => [
      `${track}-compare`,
      scenario(track, "compare", { rate, seconds: whole, timeout, start: 0 }),
    ]),
  );
  const after =
    loadRate === undefined
      ? {}
      : {
          "canary-load": scenario("canary", "load", {
            rate: loadRate,
            seconds: config.load.duration,
            timeout,
            start: whole + 1,
          }),
        };
  const loadSeconds = loadRate === undefined ? 0 : config.load.duration + 1;
  return {
    tracks,
    k6: {
      options: {
        scenarios: { ...compare, ...after },
        thresholds: {
          ...earlyEnd(config),
          ...(loadRate === undefined ? {} : loadThresholds(config.load)),
        },
        systemTags: ["scenario"],
        summaryTrendStats: ["p(50)", "p(95)", "p(99)", "max"],
        noUsageReport: true,
        discardResponseBodies: true,
      },
      requests: requests.map((one) => ({ ...one, keep: asksFor(one, config.predictions.path) })),
      host,
      warmupSeconds: warmup,
      rate,
      timeoutSeconds: timeout,
      longestAnswer: LONGEST_ANSWER,
    },
    planned: { compare: rate * seconds, load: (loadRate ?? 0) * config.load.duration },
    polls: Array.from(
      { length: POLLS },
      (_, index) => warmup + seconds / 2 + ((seconds / 2) * index) / POLLS,
    ),
    end: whole,
    limit: whole + loadSeconds + 2 * timeout + 120,
  };
}

/** A canary that fails far more than it may needs no more requests to be judged. */
function earlyEnd({ minimum, rate, warmup, success }: Config["analysis"]): Record<string, unknown> {
  const limit = Math.min(0.95, 1.25 - success.minimum / 100);
  return {
    // The tag `phase` is load.js's: the warm-up counts for nothing here either.
    "http_req_failed{scenario:canary-compare,phase:compare}": [
      {
        threshold: `rate<${rounded(limit)}`,
        abortOnFail: true,
        delayAbortEval: `${warmup + Math.ceil(minimum / rate) + 1}s`,
      },
    ],
  };
}

/** k6's thresholds of the load test. */
function loadThresholds({ p95, p99, errors }: Config["analysis"]["load"]): Record<string, unknown> {
  const times = [
    ...(p95 === undefined ? [] : [`p(95)<=${p95}`]),
    ...(p99 === undefined ? [] : [`p(99)<=${p99}`]),
  ];
  return {
    // Decimal fractions: 0.7 / 100 is a little less than 0.007.
    "http_req_failed{scenario:canary-load}": [`rate<=${Number((errors / 100).toPrecision(12))}`],
    ...(times.length > 0 ? { "http_req_duration{scenario:canary-load}": times } : {}),
  };
}

interface ScenarioTimes {
  readonly rate: number;
  readonly seconds: number;
  readonly timeout: number;
  readonly start: number;
}

function scenario(
  track: Track,
  phase: string,
  { rate, seconds, timeout, start }: ScenarioTimes,
): Record<string, unknown> {
  const most = Math.min(MOST_AT_ONCE, Math.max(10, rate * timeout));
  return {
    executor: "constant-arrival-rate",
    exec: "send",
    rate,
    timeUnit: "1s",
    duration: `${seconds}s`,
    startTime: `${start}s`,
    gracefulStop: `${timeout}s`,
    preAllocatedVUs: Math.min(most, Math.max(10, Math.ceil(rate / 2))),
    maxVUs: most,
    env: { TRACK: track, PHASE: phase },
  };
}

/** Whether the load test belongs to this weight: the first that is analysed, where it meets the fewest users. */
export function isLoadStep(
  deploy: Pick<Config["deploy"], "steps" | "strategy">,
  weight: number,
): boolean {
  if (deploy.strategy === "blue-green") return weight === 0;
  const first = deploy.steps.find(({ analysis }) => analysis);
  return first !== undefined && weight <= first.weight;
}
