import { ExecError, type Directory } from "@dagger.io/dagger";

import type { CheckName, CheckResult } from "../core/check.js";
import type { Context } from "./context.js";

/** What one check gave: its verdict, and what its tool left. */
export interface Outcome {
  readonly result: CheckResult;
  /** The tool's own reports, by their name among all reports. */
  readonly reports: Readonly<Record<string, { readonly files: Directory; readonly path: string }>>;
}

/** One check: how it is run, and what is said of it when it is not. */
export interface Stage {
  readonly name: CheckName;
  readonly tool: string;
  /** Why it is not run; undefined when it is. */
  readonly skip: (context: Context) => string | undefined;
  readonly run: (context: Context) => Promise<Outcome>;
}

/** A check that gave no verdict of its own. */
function without(stage: Stage, state: "SKIPPED" | "ERRORED", reason: string): Outcome {
  const { name, tool } = stage;
  return { result: { name, tool, state, reason, durationMs: 0, findings: [] }, reports: {} };
}

/**
 * Runs a check to its end. What goes wrong around the tool (an installation, the engine) is
 * ERRORED, not thrown: the other checks still count.
 */
export async function runStage(stage: Stage, context: Context): Promise<Outcome> {
  const reason = stage.skip(context);
  if (reason !== undefined) return without(stage, "SKIPPED", reason);
  try {
    return await stage.run(context);
  } catch (error) {
    return without(stage, "ERRORED", describe(error));
  }
}

/** `ruff` is switched off where the configuration says so. */
export function switchedOff(section: string, { enabled }: { enabled: boolean }): string | undefined {
  return enabled ? undefined : `Switched off by ${section}.enabled = false.`;
}

/** What a step that failed said last; the end of a long output tells more than its beginning. */
function describe(error: unknown): string {
  if (!(error instanceof ExecError)) return error instanceof Error ? error.message : String(error);
  const output = (error.stderr.trim() || error.stdout.trim()).slice(-4000);
  return `\`${error.cmd.join(" ")}\` exited with ${error.exitCode}.\n${output}`;
}
