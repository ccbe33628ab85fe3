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

type Entry = z.infer<typeof schema>;

/** First version of mypy that knows `--output`. */
const FIRST_WITH_JSON = [1, 11];

/** `src/a.py:3:5: error: Message  [code]`, with the end of the place where the project asks for it. */
const TEXT_LINE =
  /^(.+?)(?::(\d+)(?::(\d+)(?::\d+:\d+)?)?)?: (error|note): (.*?)(?: {2}\[([a-z0-9-]+)\])?$/;

/** Options that make mypy write what `typesVerdict` reads: JSON, or before 1.11 its text. */
export function reportOptions(version: string): string[] {
  return writesJson(version)
    ? ["--output=json"]
    : ["--show-column-numbers", "--show-error-codes", "--no-color-output", "--no-pretty"];
}

function writesJson(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map((part) => Number.parseInt(part, 10));
  const [firstMajor = 0, firstMinor = 0] = FIRST_WITH_JSON;
  return major > firstMajor || (major === firstMajor && minor >= firstMinor);
}

/**
 * The verdict on mypy run with `reportOptions`: one object or one line of text for each error.
 *
 * @param root the project's folder where mypy ran.
 */
export function typesVerdict(run: ToolRun, root: string): CheckResult {
  const early = cutShort("types", run);
  if (early) return early;
  const lines = (run.report ?? run.stdout).split("\n").filter((line) => line.trim() !== "");
  const parsed = lines.map((line) => schema.safeParse(readJson(line)).data ?? fromText(line));
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

/** A line of text as the object that a later mypy writes. */
function fromText(line: string): Entry | undefined {
  const match = TEXT_LINE.exec(line.trimEnd());
  const [, file, row = "-1", column = "0", severity, message = "", code] = match ?? [];
  // mypy's words about itself have the same form.
  if (file === undefined || file === "mypy") return undefined;
  return {
    file,
    line: Number(row),
    column: Number(column) - 1,
    message,
    code: code ?? null,
    severity: severity === "note" ? "note" : "error",
  };
}

function finding(entry: Entry, root: string): Finding {
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
