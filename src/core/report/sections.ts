/** The parts of report.json that a release adds to the checks: each is absent until something fills it. */
import * as z from "zod";

const text = z.string();
const state = z.enum(["PASSED", "FAILED", "SKIPPED", "ERRORED"]);

/** Something that ran beside the checks: a build, a scan, a signature. */
const step = z.object({
  name: text.describe("Unique in the report"),
  state,
  startedAt: text.describe("ISO 8601"),
  durationMs: z.number().min(0),
  cached: z.exactOptional(z.boolean()).describe("Whether it ran for an earlier call"),
  needs: z.array(text).describe("Names of the steps and checks that it waited for"),
});

/** What trivy found in the image; the same names as in the JSON of `scan`. */
const scan = z.object({
  state,
  reason: z.exactOptional(text).describe("Why, unless it passed"),
  scanner: z.object({ name: text, version: text }),
  packages: z.int().min(0).describe("Packages that were looked at"),
  findings: z.array(
    z.object({
      kind: z.enum(["vulnerability", "secret", "license", "system"]),
      id: text,
      aliases: z.array(text),
      severity: z.enum(["UNKNOWN", "LOW", "MEDIUM", "HIGH", "CRITICAL"]),
      status: z.enum(["blocks", "reported", "ignored"]),
      reason: text.describe("Why it is ignored; empty otherwise"),
      subject: text.describe("Package, or the file that a secret is in"),
      version: text,
      fixed: text.describe("Versions that fix it; empty when there is none"),
      title: text,
      url: text,
      target: text.describe("Part of the image"),
      platforms: z
        .exactOptional(z.array(text))
        .describe("Platforms whose image has it; absent where there is one image alone"),
    }),
  ),
});

const sbom = z.object({
  format: text.describe("Form of the document that this is out of: CycloneDX 1.6, SPDX-2.3"),
  packages: z.array(
    z.object({
      name: text,
      version: text,
      type: text.describe("Its package URL's type: pypi, deb, …"),
      licenses: z.array(text).describe("SPDX expressions or names; empty when unknown"),
      purl: z.exactOptional(text).describe("Package URL"),
      digest: z.exactOptional(text).describe("algorithm:hex"),
    }),
  ),
});

const evidence = z.object({
  reference: text.describe("The image, by digest"),
  digest: text.describe("sha256:…"),
  signer: z.object({
    kind: z.enum(["key", "keyless", "kms"]),
    identity: text.describe("Fingerprint of the key, certificate identity, or the KMS reference"),
    issuer: z.exactOptional(text).describe("OIDC issuer of a keyless signature"),
  }),
  builder: z.exactOptional(text).describe("builder.id of the provenance"),
  slsaLevel: z.exactOptional(z.int().min(0).max(4)).describe("What the builder can claim"),
  predicates: z.array(
    z.object({
      name: text.describe("provenance, sbom, vulnerabilities, tests, model"),
      type: text.describe("in-toto predicate type"),
      digest: z.exactOptional(text).describe("Of the attestation"),
    }),
  ),
  rules: z
    .array(z.object({ rule: text, passed: z.boolean(), detail: text }))
    .describe("What `verify` asked, and the answers"),
  commands: z
    .array(z.object({ title: text, command: text }))
    .describe("How anybody verifies the same with cosign alone"),
});

/** Optional keys of report.json. */
export const sections = {
  steps: z.exactOptional(z.array(step)).describe("What ran beside the checks, in any order"),
  scan: z.exactOptional(scan).describe("Vulnerabilities, secrets and licenses of the image"),
  sbom: z.exactOptional(sbom).describe("Bill of materials of the image"),
  evidence: z.exactOptional(evidence).describe("Signature and attestations of the image"),
};

export type Sections = z.infer<z.ZodObject<typeof sections>>;
