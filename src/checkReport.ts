import { func, object, type Directory } from "@dagger.io/dagger";

import { markdown } from "./core/report/markdown.js";
import { complaint } from "./core/report/report.js";
import { summary } from "./core/report/summary.js";
import type { Checked } from "./stages/checks.js";

/** How the checks ended: the verdict and the reports of one and the same execution. */
@object()
export class CheckReport {
  /** Whether every check that ran passed, and at least one ran */
  @func()
  passed = false;

  /** A table for a terminal, with the first findings of what did not pass */
  @func()
  summary = "";

  /** The same for GitHub's step summary or a comment: Markdown, at most 1,024 KiB */
  @func()
  markdown = "";

  /** report.json: every check with state, reason, duration in ms, and findings with file and line */
  @func()
  report = "";

  /** report.html, report.json, summary.md, junit.xml, coverage.json, coverage.xml, and sarif/TOOL.sarif for each tool */
  @func()
  reports!: Directory;

  private complaint = "";

  /** Fails, naming each check that did not pass and why; passes when all is well */
  @func()
  assert(): void {
    if (!this.passed) throw new Error(this.complaint);
  }
}

/** The object that the module's callers see. */
export function checkReport({ report, files }: Checked): CheckReport {
  const problem = complaint(report);
  return Object.assign(new CheckReport(), {
    passed: problem === undefined,
    summary: summary(report),
    markdown: markdown(report),
    report: JSON.stringify(report),
    reports: files,
    complaint: problem ?? "",
  });
}
