import * as z from "zod";
import type { CheckName, CheckResult, Finding, ToolRun } from "../check.js";
import { clean, plural } from "../text.js";
import { broken, cutShort, judged, readJson, relativeTo } from "./verdict.js";

const location = z.object({ row: z.number(), column: z.number() });
const schema = z.array(
  z.object({
    code: z.string().nullable(),
    name: z.string().nullish(),
    message: z.string(),
    filename: z.string().nullable(),
    location: location.nullish(),
    end_location: location.nullish(),
    url: z.string().nullish(),
    fix: z.object({ message: z.string().nullish() }).nullish(),
  }),
);

/**
 * The verdict on `ruff check --output-format json`.
 *
 * @param root the project's folder where ruff ran, such as `/src`.
 */
export function lintVerdict(run: ToolRun, root: string): CheckResult {
  return ruffVerdict("lint", run, root);
}

/** The verdict on `ruff format --check --output-format json`: one finding a file. */
export function formatVerdict(run: ToolRun, root: string): CheckResult {
  return ruffVerdict("format", run, root);
}

function ruffVerdict(name: CheckName, run: ToolRun, root: string): CheckResult {
  const early = cutShort(name, run);
  if (early) return early;
  const { data } = schema.safeParse(readJson(run.report ?? run.stdout));
  if (!data)
    return broken(
      name,
      run,
      `ruff exited with ${run.exitCode} and left no report that can be read`,
    );
  const findings = data.map((one): Finding => {
    const end = one.end_location;
    return {
      ruleId: one.code ?? "invalid-syntax",
      ...(one.name === null || one.name === undefined ? {} : { ruleName: one.name }),
      level: "error",
      message: clean(one.message),
      ...(one.filename === null ? {} : { file: relativeTo(root, one.filename) }),
      ...(one.location ? { line: one.location.row, column: one.location.column } : {}),
      ...(end && name === "lint" ? { endLine: end.row, endColumn: end.column } : {}),
      ...(one.url === null || one.url === undefined ? {} : { helpUri: one.url }),
      ...(one.fix?.message ? { fix: clean(one.fix.message) } : {}),
    };
  });
  // 1 and 2 come with findings; without any, something else went wrong.
  if (run.exitCode !== 0 && findings.length === 0)
    return broken(name, run, `ruff exited with ${run.exitCode} and reported nothing`);
  if (findings.length === 0 && run.stderr.includes("No Python files found"))
    return broken(name, run, "ruff examined no file: correct exclude of [tool.ruff] or the paths");
  const unreadable = findings.find(({ ruleId }) => ruleId === "E902" || ruleId === "io");
  if (unreadable)
    return broken(
      name,
      run,
      `ruff could not read ${unreadable.file ?? "a file"}: ${unreadable.message}`,
      findings,
    );
  const files = new Set(findings.map((finding) => finding.file)).size;
  return judged(
    name,
    run,
    findings,
    name === "format"
      ? `${plural(files, "file")} not formatted`
      : `${plural(findings.length, "finding")} in ${plural(files, "file")}`,
  );
}
