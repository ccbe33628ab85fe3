import * as z from "zod";
import type { FileCoverage } from "./check.js";
import { clean } from "./text.js";

const summary = z.object({
  percent_covered: z.number().min(0).max(100),
  num_statements: z.int().min(0),
  missing_lines: z.int().min(0),
});
const schema = z.object({
  totals: z.object({ percent_covered: z.number(), num_statements: z.number() }),
  files: z.record(z.string(), z.object({ summary })),
});

export interface Coverage {
  /** Percentage of the statements (and branches, when measured), 0 to 100. */
  readonly percent: number;
  readonly statements: number;
  /** Least covered files first. */
  readonly files: readonly FileCoverage[];
}

/** Reads coverage.py's JSON report; undefined when the text is none. */
export function parseCoverage(json: string): Coverage | undefined {
  let data: unknown;
  try {
    data = JSON.parse(json);
  } catch {
    return undefined;
  }
  const { data: report } = schema.safeParse(data);
  if (!report) return undefined;
  return {
    percent: report.totals.percent_covered,
    statements: report.totals.num_statements,
    files: Object.entries(report.files)
      .map(([file, { summary: of }]) => ({
        file: clean(file),
        percent: of.percent_covered,
        statements: of.num_statements,
        missed: of.missing_lines,
      }))
      .sort((a, b) => a.percent - b.percent || (a.file < b.file ? -1 : 1)),
  };
}
