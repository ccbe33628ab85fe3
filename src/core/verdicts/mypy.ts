import * as z from "zod";
import type { CheckResult, Finding, ToolRun } from "../check.js";
import { clean, plural } from "../text.js";
import { broken, cutShort, judged, readJson, relativeTo } from "./verdict.js";

const schema = z.object({
  file: z.string(),
  line: z.number(),
  column: z.number(),
  end_line: z.number().nullish(),
  end_column: z.number().nullish(),
  message: z.string(),
  hint: z.string().nullish(),
  code: z.string().nullish(),
  severity: z.enum(["error", "note"]),
});

/**
 * The verdict on `mypy --output json`, which writes one object a line.
 *
 * @param root the project's folder where mypy ran.
 */
export function typesVerdict(run: ToolRun, root: string): CheckResult {
  const early = cutShort("types", run);
  if (early) return early;
  const lines = (run.report ?? run.stdout).split("\n").filter((line) => line.trim() !== "");
  const parsed = lines.map((line) => schema.safeParse(readJson(line)).data);
  const entries = parsed.filter((entry) => entry !== undefined);
  const findings = entries
    .filter((entry) => entry.severity === "error")
    .map((entry) => finding(entry, root));
  // Exit 2 is a syntax error in the project, with findings, or a failure of mypy, without.
  if (run.exitCode > 2 || (run.exitCode === 2 && findings.length === 0))
    return broken("types", run, `mypy exited with ${run.exitCode} and could not check the types`);
  if (run.exitCode === 1 && findings.length === 0)
    return broken("types", run, "mypy found errors, but its report cannot be read");
  const strange = lines.filter((line, at) => !parsed[at] && !/^(Success|Found)\b/.test(line));
  if (run.exitCode === 0 && strange.length > 0)
    return broken("types", run, "mypy's report cannot be read");
  const files = new Set(findings.map((one) => one.file)).size;
  return judged(
    "types",
    run,
    findings,
    `${plural(findings.length, "error")} in ${plural(files, "file")}`,
  );
}

function finding(entry: z.infer<typeof schema>, root: string): Finding {
  const code = entry.code ?? "misc";
  const hint =
    entry.hint === null || entry.hint === undefined || entry.hint === "" ? "" : ` (${entry.hint})`;
  return {
    ruleId: code,
    level: "error",
    message: clean(entry.message + hint),
    file: relativeTo(root, entry.file),
    // mypy says -1 for errors of a whole file, and counts columns from 0, but for syntax errors from 1.
    ...(entry.line > 0 ? { line: entry.line } : {}),
    ...(entry.line > 0 && entry.column >= 0
      ? { column: entry.column + (code === "syntax" ? 0 : 1) }
      : {}),
    helpUri: `https://mypy.readthedocs.io/en/stable/_refs.html#code-${code}`,
  };
}
