import type { CheckResult, Finding, ToolRun } from "../../src/core/check.js";

/** A tool's execution that went well and said nothing, but for what is given. */
export function run(given: Partial<ToolRun> = {}): ToolRun {
  return { exitCode: 0, stdout: "", stderr: "", durationMs: 1200, ...given };
}

export function finding(given: Partial<Finding> = {}): Finding {
  return {
    ruleId: "F401",
    level: "error",
    message: "unused",
    file: "src/app.py",
    line: 3,
    column: 8,
    ...given,
  };
}

export function result(given: Partial<CheckResult> = {}): CheckResult {
  return { name: "lint", tool: "ruff", state: "PASSED", durationMs: 1200, findings: [], ...given };
}
