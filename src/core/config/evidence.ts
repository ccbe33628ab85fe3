import * as z from "zod";
import { BUILDER, PREDICATE_NAMES } from "../attestations/names.js";
import { day, imageReference, pattern, relativePath } from "./fields.js";

export const ignoredAdvisory = z.strictObject({
  id: z
    .string()
    .min(1)
    .describe("Advisory id (PYSEC-…, GHSA-…, CVE-…), or the id of another finding"),
  reason: z.string().min(1).describe("Why it does not matter here"),
  expires: day.describe("Last day on which it is ignored"),
});

/** One entry of `audit.ignore` or `scan.ignore`. */
export type IgnoredAdvisory = z.infer<typeof ignoredAdvisory>;

/** `[tool.slipway.scan]`. */
export const scan = z.strictObject({
  severity: z
    .array(z.enum(["UNKNOWN", "LOW", "MEDIUM", "HIGH", "CRITICAL"]))
    .min(1, "expected at least one severity: a gate that stops nothing is none")
    .default(["CRITICAL"])
    .describe("Severities that stop the image; the others are reported"),
  unfixed: z
    .boolean()
    .default(true)
    .describe("Whether a vulnerability without a fixed version stops the image too"),
  ignore: z
    .array(ignoredAdvisory)
    .default([])
    .describe(
      "Findings that do not matter here, other than licenses: tables of `id`, `reason`, `expires`",
    ),
  vex: relativePath
    .optional()
    .describe(
      "VEX document of the project (OpenVEX, CycloneDX or CSAF) that trivy takes account of",
    ),
  secrets: z
    .boolean()
    .default(true)
    .describe("Look for secrets too; one that is found stops the image"),
  licenses: z
    .array(z.string().min(1))
    .default([])
    .describe(
      "Licenses that are allowed, by SPDX name; any other stops the image. Empty allows all",
    ),
  database: z
    .array(imageReference)
    .default([])
    .describe(
      "Where trivy's database comes from, tried in order. Default: trivy's own two sources",
    ),
  age: z
    .int("expected a whole number of hours")
    .min(1, "expected at least 1 hour")
    .max(8760, "expected at most 8760 hours (a year)")
    .default(48)
    .describe("Hours after which the database is too old to believe"),
});

/** `[tool.slipway.sign]`. */
export const sign = z.strictObject({
  signingConfig: relativePath
    .optional()
    .describe(
      "Signing configuration of a Sigstore of one's own (`cosign signing-config create`), for signing without a key. Default: the public one",
    ),
});

/** `[tool.slipway.verify]`. */
export const verify = z.strictObject({
  key: relativePath
    .default("cosign.pub")
    .describe("The public key in the project that signatures are checked with"),
  identity: pattern("expected an identity, or a regular expression between slashes")
    .optional()
    .describe(
      "Identity in the certificate of who signs without a key; between slashes a regular expression for all of it. Default: signatures are by verify.key",
    ),
  issuer: pattern("expected an issuer's URL, or a regular expression between slashes")
    .optional()
    .describe("OIDC issuer that vouches for verify.identity; the same forms"),
  repository: z
    .string()
    .regex(/^[\w.-]+\/[\w.-]+$/, "expected a repository on GitHub: OWNER/NAME")
    .optional()
    .describe(
      "Repository on GitHub, OWNER/NAME, whose job has to have signed: a reusable workflow signs as itself, whoever calls it. Default: any",
    ),
  trustedRoot: relativePath
    .optional()
    .describe(
      "Trusted root of a Sigstore of one's own (`cosign trusted-root create`). Default: the public one",
    ),
  predicates: z
    .array(z.enum(PREDICATE_NAMES))
    .default(["provenance", "sbom", "vulnerabilities", "tests"])
    .describe("Attestations that an image must have"),
  builder: pattern("expected a builder's id, or a regular expression between slashes")
    .default(BUILDER)
    .describe(
      "`builder.id` that the provenance must name; between slashes a regular expression for all of it. Of other builders, GitHub's workflows are understood",
    ),
  source: z
    .string()
    .min(1)
    .optional()
    .describe("Repository that the provenance must name. Default: any"),
  age: z
    .int("expected a whole number of hours")
    .min(1, "expected at least 1 hour")
    .max(8760, "expected at most 8760 hours (a year)")
    .default(168)
    .describe("Hours after which a vulnerability scan is too old"),
});
