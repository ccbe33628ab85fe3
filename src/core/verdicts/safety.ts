import type { CheckResult, Finding, ToolRun } from "../check.js";
import { isTable, text, type TomlTable } from "../toml.js";
import { clean, plural } from "../text.js";
import { broken, cutShort, judged, readJson, skipped } from "./verdict.js";

/** Safety's exit code when it found something; 65, 66, 68 and the rest mean that it did not work. */
const FOUND = 64;

/** What a person can do about a missing key. */
export function safetyWithoutKey(): CheckResult {
  return skipped(
    "safety",
    "safety needs a key: give one as the secret SAFETY_API_KEY; pip-audit covers the public advisories",
  );
}

/**
 * The verdict on `safety scan --output json`.
 *
 * @param file the file that decides the versions; findings point there.
 */
export function safetyVerdict(run: ToolRun, file?: string): CheckResult {
  const early = cutShort("safety", run);
  if (early) return early;
  if (run.exitCode !== 0 && run.exitCode !== FOUND)
    return broken("safety", run, `safety exited with ${run.exitCode} and did not scan`);
  const report = readJson(run.report ?? run.stdout);
  if (!isTable(report) || !isTable(report.scan_results))
    return broken("safety", run, "safety left no report that can be read");
  if (scannedFiles(report.scan_results) === 0)
    return broken("safety", run, "safety found no file to scan");
  const findings = specifications(report.scan_results).flatMap(({ raw, ids }) =>
    ids.map((id): Finding => ({
      ruleId: id,
      level: "error",
      message: `${clean(raw)} has a known vulnerability`,
      ...(file === undefined ? {} : { file, line: 1 }),
      helpUri: `https://data.safetycli.com/v/${encodeURIComponent(id)}/`,
    })),
  );
  if (run.exitCode === FOUND && findings.length === 0)
    return broken("safety", run, "safety found something, but its report cannot be read");
  return judged(
    "safety",
    run,
    findings,
    plural(findings.length, "vulnerability", "vulnerabilities"),
  );
}

/** How many files safety looked into; it lists those without findings too. */
function scannedFiles(results: TomlTable): number {
  const projects = (Array.isArray(results.projects) ? results.projects : []).filter(isTable);
  return projects.reduce((sum, { files }) => sum + (Array.isArray(files) ? files.length : 0), 0);
}

/** Every requirement of the report that has vulnerabilities which are not ignored, wherever it is nested. */
function specifications(value: unknown): { raw: string; ids: string[] }[] {
  if (Array.isArray(value)) return value.flatMap(specifications);
  if (!isTable(value)) return [];
  const { vulnerabilities } = value;
  const known = isTable(vulnerabilities) ? vulnerabilities.known_vulnerabilities : undefined;
  if (!Array.isArray(known)) return Object.values(value).flatMap(specifications);
  const ids = known
    .filter(isTable)
    .filter((one) => one.ignored === undefined || one.ignored === null || one.ignored === false)
    .map((one) => text(one.id) ?? String(one.id as number));
  return [{ raw: text(value.raw) ?? "a dependency", ids }];
}
