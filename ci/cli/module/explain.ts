import { CliError, EXIT, type ExitCode } from "../failure.js";
import { QueryError } from "../session/query.js";
import type { Step } from "./parse.js";
import { projectMistake } from "./mistake.js";

/**
 * What a failed call means for the exit code: a mistake in the project's configuration (2), a check
 * that did not pass (1), or something that did not work (3).
 */
export async function explainFailure(error: unknown, steps: readonly Step[]): Promise<unknown> {
  if (!(error instanceof QueryError)) return error;
  const end = reportedEnd(error);
  if (end) return end;
  const output = [error.extensions.stdout, error.extensions.stderr]
    .filter((text) => typeof text === "string" && text.trim() !== "")
    .join("\n");
  const message = output === "" ? error.message : `${error.message}\n${output}`;
  return new CliError(message, await codeOf(error, steps));
}

/**
 * The end of a delivery that has a number of its own: 1 failed and taken back, 2 refused, 3 broke,
 * 4 paused. The module runs a program that prints the report and ends with it, as `dagger call` does then.
 */
export function reportedEnd(error: unknown): CliError | undefined {
  if (!(error instanceof QueryError)) return undefined;
  const { exitCode, stderr, cmd } = error.extensions;
  const isReport = Array.isArray(cmd) && String(cmd.at(-1)).startsWith("cat /run/report.txt");
  if (!isReport || typeof stderr !== "string") return undefined;
  const code = Object.values(EXIT).find((each) => each === exitCode) ?? EXIT.broken;
  return new CliError(stderr.trimEnd(), code);
}

async function codeOf(error: QueryError, steps: readonly Step[]): Promise<ExitCode> {
  if (error.path.length === 0) return EXIT.broken;
  if (await projectMistake(steps)) return EXIT.usage;
  // What a gate stops, it has judged.
  if (error.message.includes("stopped by the scan.\nFAILED: ")) return EXIT.checkFailed;
  // A function that returns nothing is an assertion: to throw is its answer. ERRORED is what
  // Slipway's checks say when their tool did not work.
  const asserts = steps.at(-1)?.fn.returns.kind === "VOID_KIND";
  return asserts && !/^ERRORED: /m.test(error.message) ? EXIT.checkFailed : EXIT.broken;
}
