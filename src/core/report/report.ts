import * as z from "zod";
import { CHECK_NAMES, type CheckResult, type CheckState } from "../check.js";
import { SlipwayError } from "../errors.js";
import { plural } from "../text.js";
import { TOOLS } from "../verdicts/verdict.js";
import { sections, type Sections } from "./sections.js";

/** Grows in its second number when keys are added, in its first when one changes or goes. */
const REPORT_VERSION = "1.2";

const text = z.string();
const count = z.int().min(0);
const line = z.int().min(1);
const percentage = z.number().min(0).max(100);

const finding = z.object({
  ruleId: text.describe("The tool's own name of the rule"),
  ruleName: z.exactOptional(text).describe("The rule's name in words"),
  level: z.enum(["error", "warning", "note"]),
  message: text.describe("Plain text"),
  file: z.exactOptional(text).describe("Relative to the project, with forward slashes"),
  line: z.exactOptional(line).describe("First line is 1"),
  column: z.exactOptional(line).describe("First column is 1"),
  endLine: z.exactOptional(line),
  endColumn: z.exactOptional(line),
  helpUri: z.exactOptional(text).describe("Where the rule is explained"),
  fix: z.exactOptional(text).describe("What to do about it, as far as the tool says"),
});

const check = z.object({
  name: z.enum(CHECK_NAMES),
  tool: text.describe("The program that ran"),
  version: z.exactOptional(text).describe("The tool's version"),
  state: z
    .enum(["PASSED", "FAILED", "SKIPPED", "ERRORED"])
    .describe("ERRORED: the tool itself did not work; never a success"),
  reason: z.exactOptional(text).describe("Why, unless it passed"),
  durationMs: z.number().min(0),
  startedAt: z.exactOptional(text).describe("When the tool began, ISO 8601; absent when none ran"),
  cached: z
    .exactOptional(z.boolean())
    .describe("Whether it ran for an earlier call of equal input"),
  findings: z.array(finding),
  tests: z
    .exactOptional(
      z.object({
        tests: count,
        failed: count,
        errors: count,
        skipped: count,
        seconds: z.number().min(0),
      }),
    )
    .describe("Numbers of a test run; seconds is the sum of the tests' own times"),
  slowest: z
    .exactOptional(z.array(z.object({ name: text, seconds: z.number() })))
    .describe("Slowest tests first"),
  coverage: z.exactOptional(percentage).describe("Percentage covered"),
  coverageFiles: z
    .exactOptional(
      z.array(
        z.object({
          file: text,
          percent: percentage,
          statements: count,
          missed: count.describe("Statements that no test ran"),
        }),
      ),
    )
    .describe("Coverage of each file, the least covered first"),
});

const reportSchema = z.object({
  schemaVersion: text.regex(/^1\.\d+$/).describe("Version of this form"),
  createdAt: text.describe("When the report was made, ISO 8601"),
  project: z.object({ name: text, version: text, kind: text, python: text }),
  state: z
    .enum(["PASSED", "FAILED", "ERRORED", "SKIPPED"])
    .describe("Of all checks together; FAILED weighs most"),
  durationMs: z.number().min(0).describe("Sum of the checks' own times; they run side by side"),
  checks: z.array(check),
  notices: z.array(text).describe("What the reader should know although nothing is wrong"),
  ...sections,
});

/** What `report.json` holds. */
export type Report = z.infer<typeof reportSchema>;

/** All checks in one report, in the usual order; `more` is what a release knows besides. */
export function makeReport(
  project: Report["project"],
  createdAt: Date,
  results: readonly CheckResult[],
  notices: readonly string[] = [],
  more: Sections = {},
): Report {
  const order = (result: CheckResult): number => CHECK_NAMES.indexOf(result.name);
  const checks = [...results].sort((a, b) => order(a) - order(b));
  return reportSchema.parse({
    schemaVersion: REPORT_VERSION,
    createdAt: createdAt.toISOString(),
    project,
    state: overall(checks.map((one) => one.state)),
    durationMs: checks.reduce((sum, one) => sum + one.durationMs, 0),
    checks,
    notices,
    ...more,
  } satisfies { readonly [Key in keyof Report]: unknown });
}

/** A report with what a release knows besides. */
export function extended(report: Report, more: Sections): Report {
  return reportSchema.parse({ ...report, ...more });
}

/**
 * Reads report.json.
 *
 * @throws SlipwayError REPORT when it is none, or of a later form.
 */
export function readReport(json: string): Report {
  let data: unknown;
  try {
    data = JSON.parse(json);
  } catch {
    throw new SlipwayError(
      "REPORT",
      "report.json is not JSON: it is broken or cut short. Run the checks again.",
    );
  }
  const parsed = reportSchema.safeParse(data);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new SlipwayError(
    "REPORT",
    `report.json is not of the form ${REPORT_VERSION}: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}. Run the checks again with this version of Slipway.`,
  );
}

/** The report's JSON schema, for those who read it elsewhere. */
export function reportJsonSchema(): Record<string, unknown> {
  return { ...z.toJSONSchema(reportSchema, { io: "input" }), title: "Slipway check report" };
}

/** What `assert` says: which checks did not pass, and why. Undefined when all is well. */
export function complaint(report: Report): string | undefined {
  if (report.state === "PASSED") return undefined;
  const bad = report.checks.filter((one) => one.state === "FAILED" || one.state === "ERRORED");
  if (bad.length === 0)
    return "No check ran: all are switched off or skipped, so nothing is known.";
  const lines = bad.map(
    (one) =>
      `  ${one.name} (${TOOLS[one.name]}) ${one.state}: ${one.reason?.replaceAll("\n", "\n    ") ?? ""}`,
  );
  return [`${bad.length} of ${plural(report.checks.length, "check")} did not pass:`, ...lines].join(
    "\n",
  );
}

function overall(states: readonly CheckState[]): CheckState {
  return (
    (["FAILED", "ERRORED", "PASSED"] as const).find((state) => states.includes(state)) ?? "SKIPPED"
  );
}
