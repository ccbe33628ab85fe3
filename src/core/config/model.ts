import * as z from "zod";

const alias = z
  .string()
  .regex(/^[A-Za-z0-9][\w.-]{0,254}$/, "expected an alias such as production, without spaces");

const gate = z
  .strictObject({
    metric: z.string().min(1).describe("Metric of the run that made the model"),
    minimum: z.number("expected a number").optional().describe("Least value that is good enough"),
    maximum: z
      .number("expected a number")
      .optional()
      .describe("Greatest value that is good enough"),
    champion: z
      .boolean()
      .default(false)
      .describe("Whether it has to be as good as the champion, the version that serves now"),
    tolerance: z
      .number("expected a number")
      .min(0, "expected 0 or more")
      .default(0)
      .describe("How much worse than the champion it may be, in the metric's own unit"),
    greaterIsBetter: z
      .boolean()
      .default(true)
      .describe("Whether a greater value is the better one; false for errors and losses"),
  })
  .refine(
    ({ minimum, maximum, champion }) => minimum !== undefined || maximum !== undefined || champion,
    "expected minimum, maximum or champion = true: a gate that asks for nothing stops nothing",
  )
  .refine(
    ({ minimum, maximum }) => minimum === undefined || maximum === undefined || minimum <= maximum,
    "expected a minimum that is not above the maximum",
  );

/** `[tool.slipway.model]`. */
export const model = z.strictObject({
  enabled: z
    .boolean()
    .default(true)
    .describe("Whether the service loads a model; without one nothing is said of it anywhere"),
  name: z.string().min(1).default("iris-random-forest").describe("Registered model's name"),
  tracking: z
    .string()
    .min(1)
    .refine(
      (uri) => !/\/\/[^/]*@/.test(uri),
      "expected a URI without user and password; give those as the secret modelToken",
    )
    .optional()
    .describe(
      "Address of the MLflow server with the registry, https:// or http://. Default: none; only what stands here is known of the model",
    ),
  alias: alias
    .optional()
    .describe("Alias of the version to deploy. Default: the one named as model.stage"),
  stage: z
    .string()
    .min(1)
    .default("production")
    .describe("Alias of the model where model.alias is not set, else its legacy stage"),
  version: z
    .string('expected a string such as "7"')
    .min(1)
    .optional()
    .describe("Model version; wins over alias and stage. Default: the one they point at"),
  run: z
    .string('expected a string such as "4f1c0a"')
    .min(1)
    .optional()
    .describe("Id of the run that made the model"),
  digest: z
    .string()
    .regex(
      /^sha256:[0-9a-f]{64}$/,
      "expected a digest such as sha256:4f1c…, 64 digits in lower case",
    )
    .optional()
    .describe("Digest of the model's artifact"),
  gates: z
    .array(gate)
    .default([])
    .describe(
      "What the run's metrics must be like before the model is deployed: tables of `metric`, `minimum`, `maximum`, `champion`, `tolerance`, `greaterIsBetter`",
    ),
  moveAlias: alias
    .optional()
    .describe(
      "Alias that names the champion: moved to the version when it serves all requests and is well, and back by a rollback. Default: none is moved",
    ),
});

/** One entry of `model.gates`. */
export type ModelGate = z.infer<typeof gate>;
