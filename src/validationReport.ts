import { func, object } from "@dagger.io/dagger";

import {
  allOk,
  findingsMarkdown,
  findingsTable,
  type Finding,
} from "./core/delivery/validation/findings.js";

/** Whether a deployment has all that it needs. */
@object()
export class ValidationReport {
  /** Whether nothing stands in the way; what could not be looked at does */
  @func()
  passed = false;

  /** A table for a terminal: what was looked at, what was found, what to do */
  @func()
  table = "";

  /** The same for GitHub's step summary */
  @func()
  markdown = "";

  /** The findings as JSON: each with check, ok, found and next */
  @func()
  json = "";

  /** Fails with the table unless all is well */
  @func()
  assert(): void {
    if (!this.passed) throw new Error(this.table);
  }
}

/** The object that the module's callers see. */
export function validationReport(findings: readonly Finding[]): ValidationReport {
  const passed = allOk(findings);
  return Object.assign(new ValidationReport(), {
    passed,
    table: findingsTable(findings),
    markdown: findingsMarkdown(passed ? "Ready to deploy" : "Not ready to deploy", findings),
    json: JSON.stringify({ valid: passed, findings }),
  });
}
