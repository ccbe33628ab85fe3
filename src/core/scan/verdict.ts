import type { CheckState, ToolRun } from "../check.js";
import type { IgnoredAdvisory } from "../config/evidence.js";
import type { Config } from "../config/schema.js";
import { lastLines, plural } from "../text.js";
import { readJson } from "../verdicts/verdict.js";
import type { Database } from "./database.js";
import { scannerProblem } from "./scanner.js";
import { readTrivy } from "./trivy.js";
import { SEVERITIES, type Found, type Judged, type Severity } from "./types.js";

/** How a scan ended; `json` of the report is this. */
export interface ScanResult {
  /** ERRORED: nothing is known, which is never success. */
  readonly state: Exclude<CheckState, "SKIPPED">;
  /** Why, unless it passed. */
  readonly reason?: string;
  /** Findings that are not ignored, by severity. */
  readonly counts: Readonly<Record<Severity, number>>;
  /** The gravest first. */
  readonly findings: readonly Judged[];
  /** What the reader should know although nothing is wrong. */
  readonly notices: readonly string[];
  readonly packages: number;
  readonly scanner: { readonly name: "trivy"; readonly version: string };
  readonly database?: Database;
  /** When trivy began and ended, ISO 8601. */
  readonly startedAt?: string;
  readonly finishedAt?: string;
}

export interface ScanOptions {
  readonly config: Config["scan"];
  /** ISO day by which `scan.ignore` expires. */
  readonly today: string;
  readonly database: Database | undefined;
}

const NONE: ScanResult["counts"] = { UNKNOWN: 0, LOW: 0, MEDIUM: 0, HIGH: 0, CRITICAL: 0 };

/** The verdict when there is no result to judge. */
export function scanErrored(reason: string, run?: ToolRun): ScanResult {
  const words = run === undefined ? "" : lastLines(run.stderr) || lastLines(run.stdout);
  return {
    state: "ERRORED",
    reason: words === "" ? reason : `${reason}\n${words}`,
    counts: NONE,
    findings: [],
    notices: [],
    packages: 0,
    scanner: { name: "trivy", version: run?.version ?? "" },
  };
}

/**
 * The verdict on one run of `trivy --format json`. A run that failed, left nothing that can be read,
 * or saw no package is ERRORED: nothing is known then.
 */
export function scanVerdict(run: ToolRun, options: ScanOptions): ScanResult {
  const { config, today, database } = options;
  if (run.exitCode !== 0) return scanErrored(`trivy exited with ${run.exitCode}`, run);
  const scanned = readTrivy(readJson(run.report));
  if (!scanned) return scanErrored("trivy left no result that can be read", run);
  const bad = scannerProblem(scanned.scanner);
  if (bad !== undefined) return scanErrored(bad);
  if (scanned.packages === 0)
    return scanErrored("trivy saw no package at all, so nothing is known of them");
  const findings = [
    ...scanned.findings
      .filter(({ kind, id }) => kind !== "license" || isForeign(id, config.licenses))
      .map((each) => judge(each, config, today)),
    ...scanned.suppressed.map(({ statement, ...each }): Judged => ({
      ...each,
      status: "ignored",
      reason: `VEX: ${statement}`,
    })),
  ].sort(order);
  const blocking = findings.filter(({ status }) => status === "blocks");
  const started = run.startedAt === undefined ? undefined : new Date(run.startedAt);
  return {
    state: blocking.length > 0 ? "FAILED" : "PASSED",
    ...(blocking.length > 0 ? { reason: reasonOf(blocking) } : {}),
    counts: countsOf(findings),
    findings,
    notices: config.ignore.filter((entry) => entry.expires < today).map(expiry),
    packages: scanned.packages,
    scanner: { name: "trivy", version: scanned.scanner },
    ...(database === undefined ? {} : { database }),
    ...(started === undefined
      ? {}
      : {
          startedAt: started.toISOString(),
          finishedAt: new Date(started.getTime() + run.durationMs).toISOString(),
        }),
  };
}

/** Findings that are not ignored, by severity. */
export function countsOf(findings: readonly Judged[]): ScanResult["counts"] {
  const counts = { ...NONE };
  for (const { severity, status } of findings) if (status !== "ignored") counts[severity] += 1;
  return counts;
}

function judge(found: Found, config: Config["scan"], today: string): Judged {
  const entry = found.kind === "license" ? undefined : ignoring(found, config.ignore, today);
  if (entry) {
    return { ...found, status: "ignored", reason: `${entry.reason} (until ${entry.expires})` };
  }
  const isRated = found.kind === "vulnerability" || found.kind === "system";
  const isGrave = !isRated || config.severity.includes(found.severity);
  if (!isGrave) return { ...found, status: "reported", reason: "" };
  return found.kind === "vulnerability" && found.fixed === "" && !config.unfixed
    ? { ...found, status: "ignored", reason: "there is no fixed version (scan.unfixed = false)" }
    : { ...found, status: "blocks", reason: "" };
}

function ignoring(
  { id, aliases }: Found,
  ignore: readonly IgnoredAdvisory[],
  today: string,
): IgnoredAdvisory | undefined {
  const names = [id, ...aliases].map((name) => name.toUpperCase());
  return ignore.find((entry) => entry.expires >= today && names.includes(entry.id.toUpperCase()));
}

/** Whether a license is not among the allowed ones, where only some are. */
function isForeign(license: string, allowed: readonly string[]): boolean {
  const names = allowed.map((name) => name.toUpperCase());
  return allowed.length > 0 && !names.includes(license.toUpperCase());
}

function expiry({ id, expires }: IgnoredAdvisory): string {
  return `scan.ignore: ${id} expired on ${expires} and is no longer ignored; fix it, or extend it with a reason`;
}

function reasonOf(blocking: readonly Judged[]): string {
  const list = blocking
    .slice(0, 5)
    .map(({ id, subject, version }) => `${id} in ${subject}${version === "" ? "" : ` ${version}`}`);
  const more = blocking.length > 5 ? ` and ${blocking.length - 5} more` : "";
  return `${plural(blocking.length, "finding")} that ${blocking.length === 1 ? "stops" : "stop"} the image: ${list.join(", ")}${more}`;
}

const STATUSES: readonly Judged["status"][] = ["blocks", "reported", "ignored"];

/** The order of findings: what stops the image first, then the gravest. */
export function order(a: Judged, b: Judged): number {
  return (
    STATUSES.indexOf(a.status) - STATUSES.indexOf(b.status) ||
    SEVERITIES.indexOf(b.severity) - SEVERITIES.indexOf(a.severity) ||
    compare(a.subject, b.subject) ||
    compare(a.id, b.id)
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
