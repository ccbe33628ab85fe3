import * as z from "zod";
import type { Analysis } from "../../../src/core/analysis/types.js";
import type { Observation, ReleaseRecord } from "../../../src/core/delivery/types.js";
import type { PinnedModel } from "../../../src/core/model/types.js";
import { formOf } from "./form.js";

const text = z.string();
const number = z.number();
const count = z.int().min(0);
const outcome = z.enum(["passed", "failed", "inconclusive", "errored"]);

const analysis = formOf<Analysis>()(
  z.object({
    outcome,
    measures: z.array(
      z.object({
        metric: text.describe("success, latency p95, restarts, the name of a query, …"),
        outcome,
        canary: z.exactOptional(number).describe("What was seen of the canary, in unit"),
        stable: z.exactOptional(number).describe("What was seen of stable at the same time"),
        threshold: z.exactOptional(number).describe("What the canary is held against, in unit"),
        unit: text.describe("%, ms, or the query's own"),
        confidence: z
          .exactOptional(number.min(0).max(1))
          .describe("How sure it is that the canary is worse than allowed"),
        method: z.exactOptional(text).describe("The statistical method that decided"),
        why: text,
      }),
    ),
    requests: z
      .object({ canary: count, stable: count, failed: count })
      .describe("Requests that Slipway made itself; failed of the canary's"),
    startedAt: text.describe("ISO 8601"),
    finishedAt: text.describe("ISO 8601"),
    why: text,
    notices: z.array(text).describe("What was not looked at, and why"),
  }),
);

const model = formOf<PinnedModel>()(
  z.object({
    name: text.describe("Registered name"),
    version: text,
    runId: text.describe("Id of the run that made it; empty where the registry knows of none"),
    digest: z.exactOptional(text).describe("sha256:… of the artifact"),
    uri: text.describe("models:/name/7"),
    alias: z.exactOptional(text).describe("The alias it was found by"),
    stage: z.exactOptional(text).describe("The legacy stage it was found by"),
    metrics: z.record(text, number).describe("The run's last metrics"),
    how: z.enum(["version", "alias", "stage", "default", "configured", "attested"]),
    gates: z.array(
      z.object({
        metric: text,
        ok: z.boolean(),
        value: z.exactOptional(number),
        champion: z.exactOptional(number),
        why: text,
      }),
    ),
    warnings: z.array(text),
  }),
);

/** What is told of a release, but for what was applied and the configuration. */
type Shown = Omit<ReleaseRecord, "objects" | "config">;

const shown = formOf<Shown>()(
  z.object({
    schema: z.literal(1).describe("Version of this form"),
    service: text,
    namespace: text,
    number: count.describe("Counts the service's releases, from 1"),
    kind: z.enum(["deploy", "rollback"]),
    of: z.optional(count).describe("The release that a rollback brings back"),
    status: z.enum([
      ...(["pending", "waiting", "live", "superseded", "rolled-back", "failed"] as const),
      "aborted",
    ]),
    phase: z.enum(["canary", "promoting", "replacing"]),
    reference: text.describe("The image by its digest"),
    tag: z.optional(text).describe("The tag that it was asked for by"),
    commit: z.optional(text),
    model: z.optional(model),
    port: count.describe("Port of its Service"),
    replicas: count.describe("Pods of it when it is live"),
    verified: text.describe("Who signed, or that it was left out"),
    by: text.describe("Who did it"),
    run: text.describe("Id of the run"),
    startedAt: text.describe("ISO 8601"),
    waitingAt: z.optional(text).describe("When its canary began to wait, ISO 8601"),
    finishedAt: z.optional(text).describe("ISO 8601"),
    generation: z.optional(count).describe("Of the canary's Deployment when it began to wait"),
    why: z.optional(text).describe("Why it ended as it did, or waits"),
    steps: z.array(
      z.object({
        weight: number.describe("Percent"),
        percent: number.describe("The share that was really reached"),
        startedAt: text.describe("ISO 8601"),
        finishedAt: z.optional(text).describe("ISO 8601"),
        analysis: z.optional(analysis),
      }),
    ),
    calls: count.describe("Calls of kubectl that it took"),
  }),
);

const config = z
  .record(text, z.unknown())
  .describe("The configuration [tool.slipway.deploy] that it was made with");

/** `slipway deploy` and all others that end with a release */
export const delivery = shown.extend({ config });

const whole = delivery.extend({
  objects: z.array(z.record(text, z.unknown())).describe("What was applied for it"),
});

const workload = z.object({
  release: count.describe("Release of its pods; 0 when Slipway did not make it"),
  image: text,
  generation: count,
  replicas: count.describe("Pods wanted"),
  available: count.describe("Pods that can answer now"),
  complete: z.boolean().describe("Every pod is of this release and ready, no other is left"),
  trouble: z
    .optional(z.object({ why: text, certain: z.boolean() }))
    .describe("Why pods do not become ready; certain: waiting does not help"),
});

const seen = formOf<Observation>()(
  z.object({
    stable: z.optional(workload),
    canary: z.optional(workload),
    weight: number.describe("Share of the requests that goes to the canary, in percent"),
    exposed: z.boolean().describe("Whether a header brings requests to the canary"),
    named: z
      .boolean()
      .describe("Whether the gateway knows of the canary; true where there is none"),
    routed: z.boolean().describe("Whether the gateway has taken over the route"),
    complaint: z.optional(text).describe("What the gateway says of a route that it has not"),
    leftovers: z.boolean().describe("Whether any object of a canary is there"),
    pods: z.array(
      z.object({
        name: text,
        track: z.enum(["stable", "canary"]),
        release: count,
        phase: text,
        ready: z.boolean(),
        restarts: count,
        container: text.describe("The container that says why it is not ready, else the first"),
        says: text.describe("CrashLoopBackOff: back-off 10s…; empty when there is nothing"),
        ended: z.boolean().describe("It has run before and ended"),
      }),
    ),
  }),
);

/** `slipway status` */
export const status = z.object({
  service: text,
  healthy: z.boolean().describe("Whether what is live serves in full, and nothing is under way"),
  live: z.optional(whole),
  open: z.optional(whole).describe("The release that is under way, or waits"),
  seen: seen.describe("What is in the cluster now"),
  holder: text.describe("The run that is at it; empty when there is none"),
});

/** `slipway history` */
export const history = z.array(delivery).describe("Every release that is kept, the newest first");
