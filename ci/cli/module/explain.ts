import { CliError, EXIT, type ExitCode } from "../failure.js";
import { QueryError } from "../session/query.js";
import type { Step } from "./parse.js";
import { kubeconfigOf } from "./cluster.js";
import { argumentMistake, projectMistake } from "./mistake.js";

/**
 * What a failed call means for the exit code: a mistake in the configuration or in what was given
 * (2), a check that did not pass or a gate that stopped it (1), or something that did not work (3).
 */
export async function explainFailure(error: unknown, steps: readonly Step[]): Promise<unknown> {
  if (!(error instanceof QueryError)) return error;
  const end = reportedEnd(error, steps);
  if (end) return end;
  const output = [error.extensions.stdout, error.extensions.stderr]
    .filter((text) => typeof text === "string" && text.trim() !== "")
    .join("\n");
  const message = output === "" ? error.message : `${error.message}\n${output}`;
  return new CliError(withOrigin(message, steps), await codeOf(error, steps, message));
}

/** The kubeconfig by where this command took it from, of which a module knows nothing. */
function withOrigin(message: string, steps: readonly Step[]): string {
  const origin = kubeconfigOf(steps, process.env);
  return origin === undefined
    ? message
    : message.replaceAll("The kubeconfig (KUBE_CONFIG_DATA)", () => `The kubeconfig (${origin})`);
}

/**
 * The end of a delivery that has a number of its own: 1 failed and taken back, 2 refused, 3 broke,
 * 4 paused. The module runs a program that prints the report and ends with it, as `dagger call` does then.
 */
export function reportedEnd(error: unknown, steps: readonly Step[]): CliError | undefined {
  if (!(error instanceof QueryError)) return undefined;
  const { exitCode, stderr, cmd } = error.extensions;
  const isReport = Array.isArray(cmd) && String(cmd.at(-1)).startsWith("cat /run/report.txt");
  if (!isReport || typeof stderr !== "string") return undefined;
  const code = Object.values(EXIT).find((each) => each === exitCode) ?? EXIT.broken;
  return new CliError(withOrigin(stderr.trimEnd(), steps), code);
}

async function codeOf(
  error: QueryError,
  steps: readonly Step[],
  message: string,
): Promise<ExitCode> {
  if (error.path.length === 0) return EXIT.broken;
  if (argumentMistake(error.message) || (await projectMistake(steps))) return EXIT.usage;
  if (isVerdict(message)) return EXIT.checkFailed;
  // A function that returns nothing is an assertion: to throw is its answer. ERRORED is what
  // Slipway's checks say when their tool did not work.
  const asserts = steps.at(-1)?.fn.returns.kind === "VOID_KIND";
  return asserts && !/^ERRORED: /m.test(error.message) ? EXIT.checkFailed : EXIT.broken;
}

/** What the scan says in front of its reason, and the checks in front of each one's, when nothing was judged. */
const ERRORED = /^(?: {2}\w+ \([^)]*\) )?ERRORED: /m;

/** What a gate stops, it has judged; one that lacked something has judged nothing. */
function isVerdict(message: string): boolean {
  if (message.includes("stopped by the scan.\nFAILED: ")) return true;
  const stopped = /The release was stopped by (the checks|the scan|the verification|the model)/;
  return stopped.test(message) && !ERRORED.test(message);
}
