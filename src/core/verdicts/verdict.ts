import {
  TIMEOUT_EXIT_CODE,
  type CheckName,
  type CheckResult,
  type Finding,
  type ToolRun,
} from "../check.js";
import { clean, lastLines, oneLine } from "../text.js";

/** The program behind each check. */
export const TOOLS: Readonly<Record<CheckName, string>> = {
  lint: "ruff",
  format: "ruff-format",
  types: "mypy",
  test: "pytest",
  bandit: "bandit",
  pipAudit: "pip-audit",
  safety: "safety",
};

/** A check that did not run, on purpose. */
export function skipped(name: CheckName, reason: string): CheckResult {
  return {
    name,
    tool: TOOLS[name],
    state: "SKIPPED",
    reason: clean(reason),
    durationMs: 0,
    findings: [],
  };
}

/** A check that could not run, such as one whose installation failed. */
export function errored(name: CheckName, reason: string, durationMs = 0): CheckResult {
  return {
    name,
    tool: TOOLS[name],
    state: "ERRORED",
    reason: clean(reason),
    durationMs,
    findings: [],
  };
}

/** PASSED or FAILED by what was found. */
export function judged(
  name: CheckName,
  run: ToolRun,
  findings: readonly Finding[],
  reason?: string,
): CheckResult {
  return {
    ...outline(name, run),
    state: findings.length === 0 ? "PASSED" : "FAILED",
    ...(findings.length === 0 ? {} : { reason: reason ?? `${findings.length} findings` }),
    findings,
  };
}

/** The tool itself did not work; its last words go into the reason. */
export function broken(
  name: CheckName,
  run: ToolRun,
  what: string,
  findings: readonly Finding[] = [],
): CheckResult {
  const words = lastLines(run.stderr) || lastLines(run.stdout);
  return {
    ...outline(name, run),
    state: "ERRORED",
    reason: words === "" ? what : `${what}\n${words}`,
    findings,
  };
}

/** Name, tool, version and times: what every result of a run has. */
export function outline(
  name: CheckName,
  run: ToolRun,
): Pick<CheckResult, "name" | "tool" | "version" | "durationMs" | "startedAt"> {
  return {
    name,
    tool: TOOLS[name],
    ...(run.version === undefined ? {} : { version: run.version }),
    durationMs: run.durationMs,
    ...(run.startedAt === undefined ? {} : { startedAt: run.startedAt }),
  };
}

/**
 * How a run ended that never came to a verdict: stopped for time (FAILED, naming what was running),
 * killed, or the program not found (ERRORED). Undefined when the exit code is the tool's own.
 */
export function cutShort(
  name: CheckName,
  run: ToolRun,
  running: readonly string[] = [],
): CheckResult | undefined {
  const { exitCode } = run;
  if (exitCode === TIMEOUT_EXIT_CODE) {
    const limit = run.timeoutSeconds === undefined ? "" : ` after ${run.timeoutSeconds} s`;
    const what =
      running.length === 0
        ? `${TOOLS[name]} was running`
        : running
            .slice(0, 5)
            .map((one) => oneLine(one))
            .join(", ");
    const more = running.length > 5 ? ` and ${running.length - 5} more` : "";
    return {
      ...outline(name, run),
      state: "FAILED",
      reason: `stopped${limit} while ${running.length === 0 ? what : `these ran: ${what}${more}`}`,
      findings: [],
    };
  }
  if (exitCode === 126 || exitCode === 127)
    return broken(name, run, `${TOOLS[name]} could not be started (exit code ${exitCode})`);
  if (exitCode > 128 || exitCode < 0)
    return broken(name, run, `${TOOLS[name]} was killed ${signalText(exitCode)}`);
  return undefined;
}

/** A file's path relative to the project, with forward slashes. */
export function relativeTo(root: string, path: string): string {
  const plain = path.replaceAll("\\", "/");
  const prefix = root.endsWith("/") ? root : `${root}/`;
  return clean(plain.startsWith(prefix) ? plain.slice(prefix.length) : plain.replace(/^\.\//, ""));
}

/** Parsed JSON, or undefined. */
export function readJson(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as unknown);
  } catch {
    return undefined;
  }
}

function signalText(exitCode: number): string {
  const signal = exitCode > 128 ? exitCode - 128 : -exitCode;
  return signal === 9 ? "by signal 9; most likely it ran out of memory" : `by signal ${signal}`;
}
