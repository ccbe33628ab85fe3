import { func, object } from "@dagger.io/dagger";

import { scanSarif } from "./core/scan/findings.js";
import { conclusion, scanTable } from "./core/scan/table.js";
import type { Context } from "./stages/context.js";
import { decidingFile } from "./stages/pipAudit.js";
import type { Scan } from "./stages/scan.js";

/** What one run of trivy found, in every form, and whether it stops the image. */
@object()
export class ScanReport {
  /** Whether nothing was found that stops the image, by a database that may be believed */
  @func()
  passed = false;

  /** PASSED, FAILED, or ERRORED when nothing is known: no database, one too old, a trivy that failed */
  @func()
  state = "";

  /** Findings of severity CRITICAL that are not ignored */
  @func()
  critical = 0;

  /** Findings of severity HIGH that are not ignored */
  @func()
  high = 0;

  /** Findings of severity MEDIUM that are not ignored */
  @func()
  medium = 0;

  /** Findings of severity LOW that are not ignored */
  @func()
  low = 0;

  /** Findings of unknown severity that are not ignored */
  @func()
  unknown = 0;

  /** The findings, the gravest first, one a line: severity, status, id, package, version, fixed in */
  @func()
  findings: string[] = [];

  /** A table for a terminal */
  @func()
  table = "";

  /** All of it: state, counts, database, findings with status blocks, reported or ignored and why */
  @func()
  json = "";

  /** SARIF 2.1.0 within GitHub's limits; empty when the state is ERRORED */
  @func()
  sarif = "";

  private complaint = "";

  /** Fails, naming what stops the image; passes when nothing does */
  @func()
  assert(): void {
    if (!this.passed) throw new Error(this.complaint);
  }
}

/** The object that the module's callers see. */
export function scanReport({ result }: Scan, context: Context): ScanReport {
  const sarif = scanSarif(result, decidingFile(context), context);
  const notices = [...result.notices, ...(sarif?.notice === undefined ? [] : [sarif.notice])];
  const { counts } = result;
  const full = { ...result, notices };
  return Object.assign(new ScanReport(), {
    passed: result.state === "PASSED",
    state: result.state,
    critical: counts.CRITICAL,
    high: counts.HIGH,
    medium: counts.MEDIUM,
    low: counts.LOW,
    unknown: counts.UNKNOWN,
    findings: result.findings.map((each) =>
      [each.severity, each.status, each.id, each.subject, each.version, each.fixed]
        .map((part) => (part === "" ? "-" : part))
        .join(" "),
    ),
    table: scanTable(full),
    json: JSON.stringify(full),
    sarif: sarif?.text ?? "",
    complaint: `${result.state}: ${conclusion(result)}`,
  });
}
