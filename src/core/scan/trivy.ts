import * as z from "zod";
import { clean, oneLine } from "../text.js";
import { systemFindings } from "./system.js";
import { SEVERITIES, type Found, type Scanned, type Severity } from "./types.js";

const text = z.string().default("");

const vulnerability = z.object({
  VulnerabilityID: z.string(),
  VendorIDs: z.array(z.string()).default([]),
  PkgName: text,
  InstalledVersion: text,
  FixedVersion: text,
  Severity: text,
  Title: text,
  Description: text,
  PrimaryURL: text,
});

const schema = z.object({
  SchemaVersion: z.literal(2),
  Trivy: z.object({ Version: text }).default({ Version: "" }),
  ArtifactType: text,
  Metadata: z
    .object({
      OS: z.object({ Family: text, Name: text, EOSL: z.boolean().default(false) }).optional(),
    })
    .default({}),
  Results: z
    .array(
      z.object({
        Target: text,
        Class: text,
        Packages: z.array(z.unknown()).default([]),
        Vulnerabilities: z.array(vulnerability).default([]),
        Secrets: z
          .array(
            z.object({ RuleID: text, Severity: text, Title: text, StartLine: z.int().default(0) }),
          )
          .default([]),
        Licenses: z
          .array(z.object({ Name: text, PkgName: text, Severity: text, Category: text }))
          .default([]),
        ExperimentalModifiedFindings: z
          .array(
            z.object({
              Type: text,
              Status: text,
              Statement: text,
              Finding: vulnerability.partial({ VulnerabilityID: true }),
            }),
          )
          .default([]),
      }),
    )
    .default([]),
});

type Vulnerability = {
  readonly [Key in keyof z.infer<typeof vulnerability>]?:
    z.infer<typeof vulnerability>[Key] | undefined;
};

/** Reads trivy's JSON; undefined when it is none of schema 2. */
export function readTrivy(json: unknown): Scanned | undefined {
  const { data } = schema.safeParse(json);
  if (!data) return undefined;
  return {
    scanner: data.Trivy.Version,
    packages: data.Results.reduce((sum, one) => sum + one.Packages.length, 0),
    findings: [
      ...systemFindings({
        isImage: data.ArtifactType === "container_image",
        system: data.Metadata.OS,
        packages: data.Results.filter(({ Class }) => Class === "os-pkgs").flatMap(
          ({ Packages }) => Packages,
        ).length,
      }),
      ...data.Results.flatMap((one): Found[] => [
        ...one.Vulnerabilities.map((each) => vulnerable(each, one.Target)),
        ...one.Secrets.map((each) => secret(each, one.Target)),
        ...one.Licenses.map((each) => license(each, one.Target)),
      ]),
    ],
    suppressed: data.Results.flatMap((one) =>
      one.ExperimentalModifiedFindings.filter(
        ({ Type, Finding }) => Type === "vulnerability" && Finding.VulnerabilityID !== undefined,
      ).map(({ Finding, Statement, Status }) => ({
        ...vulnerable(Finding, one.Target),
        statement: oneLine(Statement === "" ? Status : Statement),
      })),
    ),
  };
}

function vulnerable(each: Vulnerability, target: string): Found {
  return {
    kind: "vulnerability",
    id: clean(each.VulnerabilityID ?? ""),
    aliases: each.VendorIDs ?? [],
    severity: severity(each.Severity),
    subject: clean(each.PkgName ?? ""),
    version: clean(each.InstalledVersion ?? ""),
    fixed: clean(each.FixedVersion ?? ""),
    title: oneLine(each.Title === "" ? (each.Description ?? "") : (each.Title ?? "")),
    url: each.PrimaryURL ?? "",
    target: clean(target),
  };
}

/** Without the line that the secret stands in, which trivy reports too. */
function secret(
  each: { RuleID: string; Severity: string; Title: string; StartLine: number },
  target: string,
): Found {
  return {
    kind: "secret",
    id: clean(each.RuleID),
    aliases: [],
    severity: severity(each.Severity),
    subject: clean(target),
    version: "",
    fixed: "",
    title: `${oneLine(each.Title)} in line ${each.StartLine}`,
    url: "",
    target: clean(target),
  };
}

function license(
  each: { Name: string; PkgName: string; Severity: string; Category: string },
  target: string,
): Found {
  return {
    kind: "license",
    id: clean(each.Name),
    aliases: [],
    severity: severity(each.Severity),
    subject: clean(each.PkgName),
    version: "",
    fixed: "",
    title: `license of category ${oneLine(each.Category)}`,
    url: "",
    target: clean(target),
  };
}

function severity(word = ""): Severity {
  return SEVERITIES.find((each) => each === word) ?? "UNKNOWN";
}
