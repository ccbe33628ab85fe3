import * as z from "zod";
import type { CheckResult, Finding, ToolRun } from "../check.js";
import { clean, plural } from "../text.js";
import { broken, cutShort, judged, readJson, relativeTo } from "./verdict.js";

const RANKS = ["UNDEFINED", "LOW", "MEDIUM", "HIGH"] as const;
const rank = z.enum(RANKS);
const schema = z.object({
  /** Lines of code that it looked at. */
  metrics: z.object({ _totals: z.object({ loc: z.number() }) }),
  errors: z.array(z.object({ filename: z.string(), reason: z.string() })),
  results: z.array(
    z.object({
      filename: z.string(),
      line_number: z.number(),
      col_offset: z.number().nullish(),
      issue_severity: rank,
      issue_confidence: rank,
      issue_text: z.string(),
      more_info: z.string().nullish(),
      test_id: z.string(),
      test_name: z.string().nullish(),
    }),
  ),
});

export type Rank = "low" | "medium" | "high";

/**
 * The verdict on `bandit -f json`. Files that bandit could not examine make it ERRORED: it exits
 * with 0 then, and nothing is known of them.
 *
 * @param root the project's folder where bandit ran.
 * @param least findings below are left out.
 */
export function banditVerdict(
  run: ToolRun,
  root: string,
  least: { severity: Rank; confidence: Rank },
): CheckResult {
  const early = cutShort("bandit", run);
  if (early) return early;
  const { data } = schema.safeParse(readJson(run.report ?? run.stdout));
  if (!data || run.exitCode > 1)
    return broken(
      "bandit",
      run,
      `bandit exited with ${run.exitCode} and left no report that can be read`,
    );
  if (run.exitCode === 1 && data.results.length === 0 && data.errors.length === 0)
    return broken("bandit", run, "bandit exited with 1 and reported nothing");
  const atLeast = (value: (typeof RANKS)[number], limit: Rank): boolean =>
    value === "UNDEFINED" ||
    RANKS.indexOf(value) >= RANKS.indexOf(limit.toUpperCase() as (typeof RANKS)[number]);
  const findings = data.results
    .filter(
      (one) =>
        atLeast(one.issue_severity, least.severity) &&
        atLeast(one.issue_confidence, least.confidence),
    )
    .map((one): Finding => ({
      ruleId: one.test_id,
      ...(one.test_name === null || one.test_name === undefined ? {} : { ruleName: one.test_name }),
      level:
        one.issue_severity === "HIGH"
          ? "error"
          : one.issue_severity === "MEDIUM"
            ? "warning"
            : "note",
      message: clean(one.issue_text),
      file: relativeTo(root, one.filename),
      line: one.line_number,
      ...(typeof one.col_offset === "number" && one.col_offset >= 0
        ? { column: one.col_offset + 1 }
        : {}),
      ...(one.more_info === null || one.more_info === undefined ? {} : { helpUri: one.more_info }),
    }));
  if (data.errors.length > 0) {
    const list = data.errors
      .slice(0, 5)
      .map((error) => `${relativeTo(root, error.filename)}: ${clean(error.reason)}`);
    return broken(
      "bandit",
      run,
      `bandit could not examine ${plural(data.errors.length, "file")}: ${list.join("; ")}`,
      findings,
    );
  }
  if (data.metrics._totals.loc === 0 && findings.length === 0)
    return broken(
      "bandit",
      run,
      "bandit examined no code: correct exclude_dirs of [tool.bandit] (it leaves out every path that a name is a part of) or the paths",
    );
  return judged("bandit", run, findings, plural(findings.length, "finding"));
}
