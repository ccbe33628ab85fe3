import * as z from "zod";
import { parseJsonPath } from "../analysis/json-path.js";
import { httpPath, httpUrl, relativePath } from "./fields.js";

const percent = z
  .number("expected a percentage from 0 to 100")
  .min(0, "expected a percentage from 0 to 100")
  .max(100, "expected a percentage from 0 to 100");

const milliseconds = z
  .number("expected a number of milliseconds")
  .positive("expected more than 0 milliseconds")
  .max(600_000, "expected at most 600000 milliseconds (10 minutes)");

const jsonPath = z
  .string()
  .refine(
    (text) => parseJsonPath(text) !== undefined,
    "expected a path such as $.predictions[*].species",
  );

const perSecond = z
  .int("expected a whole number of requests a second")
  .min(1, "expected at least 1 request a second")
  .max(2000, "expected at most 2000 requests a second");

const query = z
  .strictObject({
    name: z.string().min(1).max(60).describe("What the report calls it"),
    query: z
      .string()
      .min(1)
      .optional()
      .describe("PromQL; {{namespace}}, {{name}}, {{release}} and {{track}} are filled in"),
    url: z
      .string()
      .regex(/^https?:\/\/[^@\s]+$/, "expected a URL without user and password")
      .optional()
      .describe("In place of a query: address that answers with JSON; the same placeholders"),
    value: jsonPath.default("$").describe("Where the number is in the answer of `url`"),
    minimum: z.number().optional().describe("Least value that passes"),
    maximum: z.number().optional().describe("Greatest value that passes"),
    margin: z
      .number()
      .min(0, "expected a percentage of 0 or more")
      .optional()
      .describe("Percent by which the canary may be worse than stable at the same time"),
    floor: z.number().min(0).default(0).describe("Difference below which it is never worse"),
    better: z
      .enum(["lower", "higher"])
      .default("lower")
      .describe("Which direction is the good one, for `margin`"),
    unit: z.string().max(20).default("").describe("Unit, for the report"),
  })
  .refine(
    (one) => (one.query === undefined) !== (one.url === undefined),
    "expected either `query` or `url`",
  )
  .refine(
    (one) => [one.minimum, one.maximum, one.margin].some((bound) => bound !== undefined),
    "expected `minimum`, `maximum` or `margin`: without a bound nothing can fail",
  )
  .refine(
    (one) => one.margin === undefined || /\{\{\s*track\s*\}\}/.test(one.query ?? one.url ?? ""),
    "expected {{track}} in it: `margin` compares the canary's value with stable's",
  );

const success = z.strictObject({
  minimum: percent
    .default(99)
    .describe("Least share of the canary's requests that succeed, in percent"),
  margin: percent
    .default(0.5)
    .describe("Percentage points by which the canary may fail more often than stable"),
});

const latency = z.strictObject({
  p50: milliseconds.optional().describe("Greatest median, in milliseconds. Default: any"),
  p95: milliseconds.optional().describe("Greatest 95th percentile, in milliseconds. Default: any"),
  p99: milliseconds.optional().describe("Greatest 99th percentile, in milliseconds. Default: any"),
  margin: z
    .number()
    .min(0, "expected a percentage of 0 or more")
    .default(25)
    .describe("Percent by which the canary may be slower than stable"),
  floor: z
    .number()
    .min(0)
    .default(10)
    .describe("Milliseconds by which the canary may be slower whatever the percentage"),
});

const predictions = z.strictObject({
  path: httpPath
    .default("/predict")
    .describe("Path whose answers of canary and stable are compared, when requests ask for it"),
  value: jsonPath
    .default("$.predictions[*].species")
    .describe("Where the predictions are in the answer"),
  agreement: percent
    .default(95)
    .describe("Least share of requests that both predict alike, in percent"),
  tolerance: z.number().min(0).default(0).describe("Difference between numbers that are alike"),
  minimum: z
    .int("expected a whole number of requests")
    .min(5, "expected at least 5 requests")
    .default(20)
    .describe("Different requests that are needed to compare predictions"),
});

const load = z.strictObject({
  rate: perSecond.optional().describe("Requests a second to the canary. Default: no load test"),
  duration: z
    .int("expected a whole number of seconds")
    .min(5, "expected at least 5 seconds")
    .max(3600, "expected at most 3600 seconds (an hour)")
    .default(30)
    .describe("Seconds of the load test"),
  p95: milliseconds
    .optional()
    .describe("Greatest 95th percentile under load, in milliseconds. Default: any"),
  p99: milliseconds
    .optional()
    .describe("Greatest 99th percentile under load, in milliseconds. Default: any"),
  errors: percent
    .default(1)
    .describe("Greatest share of requests that fail under load, in percent"),
});

/** `[tool.slipway.analysis]`. */
export const analysis = z.strictObject({
  requests: relativePath
    .optional()
    .describe(
      "Recorded requests: a line of JSON each, with `method`, `path`, `headers`, `body`, `status`. Default: deploy.readiness",
    ),
  rate: perSecond.default(20).describe("Requests a second to each of canary and stable"),
  duration: z
    .int("expected a whole number of seconds")
    .min(5, "expected at least 5 seconds")
    .max(3600, "expected at most 3600 seconds (an hour)")
    .default(20)
    .describe("Seconds of one analysis, after the warm-up"),
  warmup: z
    .int("expected a whole number of seconds")
    .min(0)
    .max(300)
    .default(2)
    .describe("Seconds of requests before that count for nothing"),
  timeout: z
    .int("expected a whole number of seconds")
    .min(1, "expected at least 1 second")
    .max(60, "expected at most 60 seconds")
    .default(5)
    .describe("Seconds after which a request counts as not answered"),
  minimum: z
    .int("expected a whole number of requests")
    .min(20, "expected at least 20 requests: fewer say nothing")
    .default(100)
    .describe("Requests that each version must have got before anything counts"),
  confidence: z
    .number("expected a number from 0.8 to 0.999")
    .min(0.8, "expected at least 0.8")
    .max(0.999, "expected at most 0.999")
    .default(0.95)
    .describe("How sure it must be that the canary is worse before that fails it"),
  restarts: z.int().min(0).default(0).describe("Restarts of the canary's pods that are let pass"),
  success: success.prefault({}),
  latency: latency.prefault({}),
  predictions: predictions.prefault({}),
  prometheus: httpUrl
    .optional()
    .describe(
      "Base URL of Prometheus, for analysis.queries; the only server that gets metricsToken",
    ),
  queries: z
    .array(query)
    .default([])
    .describe(
      "Further measures: tables of `name`, `query` (Prometheus) or `url` and `value`, and `minimum`, `maximum` or `margin`",
    ),
  load: load.prefault({}),
});

/** One entry of `analysis.queries`. */
export type MetricQuery = z.infer<typeof query>;
