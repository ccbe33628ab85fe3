import { createHash } from "node:crypto";
import * as z from "zod";
import type { Config } from "../config/schema.js";
import type { Report } from "../report/report.js";
import type { ScanResult } from "../scan/verdict.js";
import { PREDICATE_TYPES } from "./names.js";

const database = z.looseObject({ updatedAt: z.string() });

/** The predicate `https://cosign.sigstore.dev/attestation/vuln/v1`, as far as a policy reads it. */
export const vulnerabilitiesSchema = z.looseObject({
  scanner: z.looseObject({
    uri: z.string(),
    version: z.string(),
    result: z.looseObject({
      state: z.enum(["PASSED", "FAILED", "ERRORED"]),
      counts: z.record(z.string(), z.int().min(0)),
      findings: z.array(
        z.looseObject({ id: z.string(), severity: z.string(), status: z.string() }),
      ),
      database: database.optional(),
    }),
  }),
  metadata: z.looseObject({
    scanStartedOn: z.iso.datetime({ offset: true }),
    scanFinishedOn: z.iso.datetime({ offset: true }),
  }),
});

/** What a scan found, for cosign's type `vuln`. */
export function vulnerabilitiesPredicate(result: ScanResult, builder: string): unknown {
  const { scanner, startedAt = "", finishedAt = "" } = result;
  return {
    invocation: { parameters: [], uri: "", event_id: "", "builder.id": builder },
    scanner: {
      uri: `pkg:github/aquasecurity/trivy@${scanner.version}`,
      version: scanner.version,
      db: { uri: "", version: String(result.database?.version ?? "") },
      result,
    },
    metadata: { scanStartedOn: startedAt, scanFinishedOn: finishedAt },
  };
}

/** The predicate `https://in-toto.io/attestation/test-result/v0.1`. */
export const testsSchema = z.strictObject({
  result: z.enum(["PASSED", "WARNED", "FAILED"]),
  configuration: z.array(
    z.looseObject({ name: z.string(), digest: z.record(z.string(), z.string()) }),
  ),
  url: z.string().optional(),
  passedTests: z.array(z.string()).optional(),
  warnedTests: z.array(z.string()).optional(),
  failedTests: z.array(z.string()).optional(),
});

/** How the checks ended; one that was skipped is warned of. `files` are what they depend on. */
export function testsPredicate(
  report: Report,
  files: Readonly<Record<string, string>>,
): z.infer<typeof testsSchema> {
  const named = (...states: string[]): string[] =>
    report.checks.filter(({ state }) => states.includes(state)).map(({ name }) => name);
  return {
    result: report.state === "PASSED" ? "PASSED" : "FAILED",
    configuration: Object.entries(files).map(([name, sha256]) => ({ name, digest: { sha256 } })),
    passedTests: named("PASSED"),
    warnedTests: named("SKIPPED"),
    failedTests: named("FAILED", "ERRORED"),
  };
}

/** The predicate `urn:slipway:predicate:model:v1`: the model that the service is told to load. */
export const modelSchema = z.strictObject({
  name: z.string().min(1).describe("Registered name"),
  stage: z.string().min(1).describe("Alias or legacy stage that it was found by"),
  version: z.string().min(1).optional().describe("Version in the registry"),
  run: z.string().min(1).optional().describe("Id of the run that made it"),
  digest: z
    .strictObject({ sha256: z.string().regex(/^[0-9a-f]{64}$/) })
    .optional()
    .describe("Of its artifact"),
});

export type Model = z.infer<typeof modelSchema>;

/** The predicate's JSON schema, for those who read it elsewhere. */
export function modelJsonSchema(): Record<string, unknown> {
  return { ...z.toJSONSchema(modelSchema), title: PREDICATE_TYPES.model };
}

/** A model in one line. */
export function modelText({ name, stage, version, run, digest }: Model): string {
  const more = [version, `(${stage})`, run && `run ${run}`, digest && `sha256:${digest.sha256}`];
  return [name, ...more.filter(Boolean)].join(" ");
}

/** What is known of the model; undefined for a service that loads none. */
export function modelOf(configured: Config["model"]): Model | undefined {
  const { enabled, name, version, run, digest } = configured;
  if (!enabled) return undefined;
  return {
    ...{ name, stage: stageOf(configured) },
    ...(version !== undefined && { version }),
    ...(run !== undefined && { run }),
    ...(digest !== undefined && { digest: { sha256: digest.replace("sha256:", "") } }),
  };
}

/** By what the version is found where none is named: the alias, else the stage. */
export function stageOf({ alias, stage }: Config["model"]): string {
  return alias ?? stage;
}

/** The CycloneDX bill of materials, as far as a policy reads it. */
export const sbomSchema = z.looseObject({
  bomFormat: z.literal("CycloneDX"),
  specVersion: z.string(),
  components: z.array(z.looseObject({ name: z.string() })).min(1),
  metadata: z
    .looseObject({ properties: z.array(z.record(z.string(), z.unknown())).optional() })
    .optional(),
});

/** Property of a bill of materials that says for which platform of an image it is. */
const PLATFORM = "slipway:platform";

/** A CycloneDX document that says for which platform of an image it is. */
export function billFor(platform: string | undefined, text: string): unknown {
  const bill = sbomSchema.parse(JSON.parse(text));
  if (platform === undefined) return bill;
  const { metadata = {} } = bill;
  const properties = [...(metadata.properties ?? []), { name: PLATFORM, value: platform }];
  return { ...bill, metadata: { ...metadata, properties } };
}

/** The platform that `billFor` wrote; undefined where there is none. */
export function platformOf({ metadata }: z.infer<typeof sbomSchema>): string | undefined {
  const value = metadata?.properties?.find(({ name }) => name === PLATFORM)?.value;
  return typeof value === "string" ? value : undefined;
}

/** SHA-256, in hexadecimal. */
export function sha256(text: string | Buffer): string {
  return createHash("sha256").update(text).digest("hex");
}
