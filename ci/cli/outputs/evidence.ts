import * as z from "zod";
import type { Finding } from "../../../src/core/delivery/validation/findings.js";
import type { Rule } from "../../../src/core/policy.js";
import type { ScanResult } from "../../../src/core/scan/verdict.js";
import { SEVERITIES } from "../../../src/core/scan/types.js";
import { formOf } from "./form.js";

const text = z.string();
const count = z.int().min(0);
const digest = text.regex(/^sha256:[0-9a-f]{64}$/);

const judged = z.object({
  kind: z.enum(["vulnerability", "secret", "license", "system"]),
  id: text.describe(
    "CVE or GHSA id, the secret's rule, the license, END-OF-LIFE or NO-OS-PACKAGES of the system",
  ),
  aliases: z.array(text).describe("Other ids of the same vulnerability"),
  severity: z.enum(SEVERITIES),
  subject: text.describe("Package, the file that a secret is in, or the distribution"),
  version: text.describe("Version that is installed; empty for secrets"),
  fixed: text.describe("Versions that fix it; empty when there is none"),
  title: text,
  url: text.describe("Where it is explained; empty when nowhere"),
  target: text.describe("Part of the image: the distribution, or the ecosystem"),
  status: z.enum(["blocks", "reported", "ignored"]),
  reason: text.describe("Why it is ignored; empty otherwise"),
  platforms: z
    .exactOptional(z.array(text))
    .describe("Platforms whose image has it; absent where there is one image alone"),
});

/** `slipway scan` */
export const scan = formOf<ScanResult>()(
  z.object({
    state: z
      .enum(["PASSED", "FAILED", "ERRORED"])
      .describe("ERRORED: nothing is known, which is never success"),
    reason: z.exactOptional(text).describe("Why, unless it passed"),
    counts: z.record(z.enum(SEVERITIES), count).describe("Findings that are not ignored"),
    findings: z.array(judged).describe("The gravest first"),
    notices: z.array(text).describe("What the reader should know although nothing is wrong"),
    packages: count.describe("Packages that were looked at"),
    scanner: z.object({ name: z.literal("trivy"), version: text }),
    database: z
      .exactOptional(z.object({ updatedAt: text, version: z.int() }))
      .describe("The vulnerability database; updatedAt is ISO 8601"),
    startedAt: z.exactOptional(text).describe("When trivy began, ISO 8601"),
    finishedAt: z.exactOptional(text).describe("When trivy ended, ISO 8601"),
  }),
);

const rules = z
  .array(
    formOf<Rule>()(
      z.object({
        rule: text.describe("signature, provenance, builder, scan age, …"),
        ok: z.boolean(),
        found: text.describe("What was found, or what is wrong"),
      }),
    ),
  )
  .describe("The policy, rule by rule");

/** `slipway verify` */
export const verify = z.object({
  reference: text.describe("The image by its digest; as it was asked for without a signature"),
  verified: z.boolean().describe("Whether there is a rule, and every one holds"),
  rules,
});

/** `slipway release` */
export const release = z.object({
  reference: text.describe("The image by its digest"),
  digest: digest.describe("The image's digest"),
  tags: z.array(text).describe("All its tags, as full references; each gives this digest"),
  verified: z.literal(true).describe("What was not verified is not released"),
  rules,
});

/** `slipway validate` */
export const validate = z.object({
  valid: z.boolean().describe("Whether nothing stands in the way"),
  findings: z.array(
    formOf<Finding>()(
      z.object({
        check: text.describe("What was looked at: kubeconfig, rights, image, …"),
        ok: z.boolean(),
        found: text.describe("What was found, or what is wrong"),
        next: z.exactOptional(text).describe("What to do about it"),
        warning: z.exactOptional(z.literal(true)).describe("It stops nothing, but is not good"),
      }),
    ),
  ),
});
