import * as z from "zod";

const schema = z.object({
  totals: z.object({ percent_covered: z.number(), num_statements: z.number() }),
  files: z.record(z.string(), z.object({ summary: z.object({ percent_covered: z.number() }) })),
});

export interface Coverage {
  /** Percentage of the statements (and branches, when measured), 0 to 100. */
  readonly percent: number;
  readonly statements: number;
  /** Least covered files first. */
  readonly files: readonly { readonly file: string; readonly percent: number }[];
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
      .map(([file, { summary }]) => ({ file, percent: summary.percent_covered }))
      .sort((a, b) => a.percent - b.percent || (a.file < b.file ? -1 : 1)),
  };
}
