import type { Directory, ExecError, File } from "@dagger.io/dagger";

import type { CheckName, CheckResult } from "../core/check.js";
import { errored, skipped } from "../core/verdicts/verdict.js";
import type { Context } from "./context.js";

/** What one check gave: its verdict, and what its tool left. */
export interface Outcome {
  readonly result: CheckResult;
  /** The tool's own reports that are worth keeping, by their name among all reports. */
  readonly reports: Readonly<Record<string, File>>;
}

/** One check: when it is not run, and how it is. */
export interface Stage {
  readonly name: CheckName;
  /** Why it is not run; undefined when it is. */
  readonly skip: (context: Context) => string | undefined;
  readonly run: (context: Context) => Promise<Outcome>;
}

/**
 * Runs a check to its end. What goes wrong around the tool (an installation, the engine) is
 * ERRORED, not thrown: the other checks still count. A tool that did not work for an earlier call
 * is run again: the network may be back, and engines keep what a tool left whatever its exit code.
 */
export async function runStage(stage: Stage, context: Context): Promise<Outcome> {
  const reason = stage.skip(context);
  if (reason !== undefined) return { result: skipped(stage.name, reason), reports: {} };
  const began = new Date();
  try {
    const first = await stage.run(context);
    if (first.result.state !== "ERRORED" || !isEarlier(first.result, began)) {
      return marked(first, began);
    }
    return marked(await stage.run({ ...context, attempt: began.toISOString() }), began);
  } catch (error) {
    return { result: errored(stage.name, describe(error)), reports: {} };
  }
}

/** Whether the tool ran before this call began. */
function isEarlier({ startedAt }: CheckResult, began: Date): boolean {
  return startedAt !== undefined && new Date(startedAt) < began;
}

function marked(outcome: Outcome, began: Date): Outcome {
  if (!isEarlier(outcome.result, began)) return outcome;
  return { ...outcome, result: { ...outcome.result, cached: true } };
}

/** The reason to skip a check that the configuration switches off. */
export function switchedOff(key: string, enabled: boolean): string | undefined {
  return enabled ? undefined : `switched off by ${key}.enabled = false`;
}

/** The reports out of a folder that the tool really wrote. */
export function kept(
  files: Directory,
  sizes: Readonly<Record<string, number>>,
  names: readonly string[],
): Record<string, File> {
  const written = names.filter((name) => name in sizes);
  return Object.fromEntries(written.map((name) => [name, files.file(name)]));
}

/** What a step that failed said last: the end of a long output tells more than its beginning. */
function describe(error: unknown): string {
  if (!isExecError(error)) return error instanceof Error ? error.message : String(error);
  const output = (error.stderr.trim() || error.stdout.trim()).slice(-4000);
  return `${output}\n\`${error.cmd.join(" ")}\` exited with ${error.exitCode}`.trim();
}

/** By its form: Dagger's engine bundles an SDK that does not export the class. */
function isExecError(error: unknown): error is ExecError {
  return error instanceof Error && "cmd" in error && "exitCode" in error && "stderr" in error;
}
