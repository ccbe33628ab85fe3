import * as z from "zod";
import { CHECK_NAMES } from "../../../src/core/check.js";
import type { PruneResult, StoreStatus } from "../../engine/store/types.js";
import type { PlannedStep } from "../plan.js";
import { formOf } from "./form.js";

const text = z.string();
const count = z.int().min(0);
const number = z.number();

/** `slipway doctor` */
export const doctor = z.object({
  engines: z
    .object({ embedded: z.boolean(), dagger: z.boolean() })
    .describe("Which engines would work"),
  checks: z.array(
    z.object({
      name: text,
      ok: z.boolean(),
      detail: text.describe("What was found"),
      fix: text.describe("What to do about it; empty when it is well"),
      required: z.boolean().describe("Whether the embedded engine needs it"),
    }),
  ),
});

/** `slipway functions` */
export const functions = z.array(
  z.object({
    name: text,
    description: text,
    returns: text.describe("Type"),
    args: z.array(z.object({ name: text, description: text, type: text, required: z.boolean() })),
  }),
);

/** `slipway plan FUNCTION --as json` */
export const plan = z.array(
  formOf<PlannedStep>()(
    z.object({
      digest: text.describe("Of the operation and all its inputs"),
      name: text,
      after: z.array(text).describe("Digests of the steps that it needs directly"),
      cached: z.boolean().describe("Whether its result is there"),
    }),
  ),
);

/** `slipway engine status` */
export const engineStatus = formOf<StoreStatus>()(
  z.object({
    root: text.describe("Folder of the cache"),
    bytes: count,
    budget: count.describe("Bytes beyond which it is pruned"),
    ...{ layers: count, blobs: count, volumes: count, memos: count },
    leases: z.array(count).describe("Process ids that use it now, this one included"),
  }),
);

/** `slipway engine prune` */
export const enginePrune = formOf<PruneResult>()(
  z.object({
    freedBytes: count,
    bytes: count.describe("What is kept"),
    ...{ memos: count, layers: count, blobs: count, volumes: count },
  }),
);

const state = z.enum(["PASSED", "FAILED", "SKIPPED", "ERRORED"]);
const change = <T extends z.ZodType>(inner: T) =>
  z.object({ before: z.exactOptional(inner), after: z.exactOptional(inner) });

const found = z.object({
  check: text,
  finding: z.looseObject({
    ruleId: text,
    level: z.enum(["error", "warning", "note"]),
    message: text,
  }),
});

/** `slipway report diff` */
export const comparison = z.object({
  since: text.describe("When the earlier report was made, ISO 8601"),
  state: z.object({ before: state, after: state }),
  checks: z.array(
    z.object({ name: z.enum(CHECK_NAMES), state: change(state), durationMs: change(number) }),
  ),
  appeared: z.array(found).describe("Findings that are new, as in report.json"),
  gone: z.array(found),
  tests: change(count).describe("Number of tests that ran"),
  coverage: change(number).describe("Percentage"),
  coverageFiles: z
    .array(z.object({ file: text, before: number, after: number }))
    .describe("Files whose percentage is another, the greatest loss first"),
});
