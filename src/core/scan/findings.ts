import type { Finding } from "../check.js";
import { toSarif, type Sarif, type SarifOptions } from "../sarif.js";
import type { Judged } from "./types.js";
import type { ScanResult } from "./verdict.js";

/**
 * The findings that are not ignored, for GitHub code scanning.
 *
 * @param file The file that decides the versions: GitHub asks for a place in the source.
 * @param folder The project's folder in its repository.
 * @returns undefined for an ERRORED scan, which says nothing about the findings of the one before.
 */
export function scanSarif(
  result: ScanResult,
  file: string,
  { folder, mostResults }: Pick<SarifOptions, "folder" | "mostResults"> = {},
): Sarif | undefined {
  return toSarif(
    {
      name: "scan",
      tool: "trivy",
      ...(result.scanner.version === "" ? {} : { version: result.scanner.version }),
      state: result.state,
      findings: result.findings
        .filter(({ status }) => status !== "ignored")
        .map((each) => finding(each, file)),
    },
    {
      fallbackFile: file,
      ...(folder === undefined ? {} : { folder }),
      ...(mostResults === undefined ? {} : { mostResults }),
    },
  );
}

function finding(each: Judged, file: string): Finding {
  const fixed = each.fixed === "" ? "no version yet" : each.fixed;
  const advice = each.kind === "vulnerability" ? ` Fixed in: ${fixed}.` : "";
  return {
    ruleId: each.id,
    level: each.status === "blocks" ? "error" : each.severity === "LOW" ? "note" : "warning",
    message: `${each.severity} in ${`${each.subject} ${each.version}`.trim()}: ${each.title}.${advice}`,
    file,
    line: 1,
    ...(each.url === "" ? {} : { helpUri: each.url }),
  };
}
