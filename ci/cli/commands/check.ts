import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { CHECK_NAMES } from "../../../src/core/check.js";
import { EXIT, usageError, type ExitCode } from "../failure.js";
import { explainFailure } from "../module/explain.js";
import { functionHelp } from "../module/help.js";
import { invoke } from "../module/invoke.js";
import type { OwnFlags, Step } from "../module/parse.js";
import { prepare } from "../module/prepare.js";
import { didYouMean, kebab } from "../names.js";
import { commonFlags, readOptions } from "../options.js";
import { DEFAULT_REPORTS, placeForReports } from "../reports.js";
import { withSession } from "../run.js";
import { sessionFlags } from "../session/flags.js";

const OWN_FLAGS: OwnFlags = {
  ...commonFlags,
  "output-dir": { takesValue: true, alias: "o" },
  json: { takesValue: false, alias: "j" },
};

/** What is asked of the module's report; `report` is the text of report.json. */
interface Answer {
  readonly passed: boolean;
  readonly summary: string;
  readonly report: string;
}

/** `slipway check [NAME…]`: all checks side by side, one table, one folder of reports. */
export async function check(
  given: Readonly<Record<string, unknown>>,
  words: readonly string[],
  signal: AbortSignal,
): Promise<ExitCode> {
  const common = readOptions(given, sessionFlags(words));
  return withSession(common, signal, async (session, settle) => {
    const prepared = await prepare(session, common, {
      start: ["checks"],
      rest: words,
      ownFlags: OWN_FLAGS,
      collect: true,
    });
    const { own, types, collected } = prepared;
    const [root] = prepared.steps;
    const checks = prepared.steps.at(-1);
    if (!root || !checks) throw usageError("nothing to check");
    if (prepared.help) {
      process.stdout.write(usage(root, checks));
      return EXIT.passed;
    }
    const json = readOptions(given, own).output === "json" || own.has("json");
    if (common.mod === undefined) refuseUnknown(collected);
    const steps = [root, withNames(checks, collected)];
    const report = types.object(checks.fn.returns.name);
    const needed = ["passed", "summary", "report", "reports"];
    const missing = needed.filter((name) => !report?.functions.some((fn) => fn.name === name));
    if (missing.length > 0) {
      throw usageError(
        `checks of module ${types.name} gives no ${missing.join(", ")}: use slipway call checks.`,
      );
    }
    const wanted = own.get("output-dir");
    // Unless told which: then the module itself compares.
    const previous = checks.args.has("previous") ? undefined : await earlierReport(wanted);
    const place = await placeForReports(wanted);
    const folder = place?.folder;
    const write =
      place === undefined ? "" : `reports { export(path: ${JSON.stringify(place.exported)}) }`;
    const began = new Date();
    const ask = async (asked: readonly Step[]): Promise<Answer> => {
      try {
        return (await invoke(session, asked, `{ passed summary report ${write} }`)) as Answer;
      } catch (error) {
        await place?.forget();
        throw await explainFailure(error, asked);
      }
    };
    let answer = await ask(steps);
    if (isKept(answer, began) && exitCode(answer) === EXIT.broken) {
      answer = await ask([root, withAttempt(withNames(checks, collected), began)]);
    }
    if (place) await addComparison(place.exported, answer, previous);
    await place?.settle();
    settle();
    process.stdout.write(json ? `${answer.report.trim()}\n` : await table(answer));
    if (common.quiet) return exitCode(answer);
    if (isKept(answer, began)) process.stderr.write("nothing changed: the report was kept\n");
    if (folder !== undefined) process.stderr.write(`reports: ${folder}\n`);
    return exitCode(answer);
  });
}

/**
 * Mistyped names, before reports of an earlier run are taken away. Only for the own module: which
 * checks another has is known to that alone.
 *
 * @throws CliError naming the nearest check.
 */
function refuseUnknown(names: readonly string[]): void {
  const plain = (name: string): string => kebab(name).replaceAll("-", "");
  const known = CHECK_NAMES.map(kebab);
  for (const name of names) {
    if (known.some((each) => plain(each) === plain(name))) continue;
    throw usageError(
      `there is no check "${name}".${didYouMean(name, known)} The checks are ${known.join(", ")}.`,
    );
  }
}

/** The text of the report.json that this run replaces. */
async function earlierReport(wanted: string | undefined): Promise<string | undefined> {
  if (wanted === "") return undefined;
  const file = resolve(wanted ?? DEFAULT_REPORTS, "report.json");
  return await readFile(file, "utf8").catch(() => undefined);
}

/** Makes the page say what changed since the report that this one replaces; a broken one says nothing. */
async function addComparison(
  folder: string,
  { report }: Answer,
  previous: string | undefined,
): Promise<void> {
  if (previous === undefined) return;
  const { readReport } = await import("../../../src/core/report/report.js");
  const { SlipwayError } = await import("../../../src/core/errors.js");
  const { pageWith } = await import("../page.js");
  try {
    const [now, before] = [readReport(report), readReport(previous)];
    // A report that was kept is no other run, and another project's says nothing of this one.
    if (now.createdAt === before.createdAt || now.project.name !== before.project.name) return;
    await writeFile(join(folder, "report.html"), await pageWith(now, before));
  } catch (error) {
    if (!(error instanceof SlipwayError)) throw error;
  }
}

function withNames(step: Step, names: readonly string[]): Step {
  if (names.length === 0) return step;
  if (!step.fn.args.some(({ name }) => name === "only")) {
    throw usageError("this module's checks cannot be chosen by name.");
  }
  const items = names.map(
    (name) => ({ kind: "literal", text: JSON.stringify(camel(name)) }) as const,
  );
  return { fn: step.fn, args: new Map([...step.args, ["only", { kind: "list", items }]]) };
}

/** Whether the engine answered with the report of an earlier call. */
function isKept({ report }: Answer, began: Date): boolean {
  const { createdAt } = JSON.parse(report) as { createdAt?: string };
  return createdAt !== undefined && new Date(createdAt) < began;
}

/** Another call than before, so that what did not work is tried again. */
function withAttempt(step: Step, began: Date): Step {
  if (!step.fn.args.some(({ name }) => name === "attempt")) return step;
  const text = JSON.stringify(began.toISOString());
  return { fn: step.fn, args: new Map([...step.args, ["attempt", { kind: "literal", text }]]) };
}

/** `pip-audit` → `pipAudit`, as the module names its checks. */
function camel(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** The module's own table; in a terminal as wide as that, and in colour. */
async function table({ summary, report }: Answer): Promise<string> {
  if (!process.stdout.isTTY) return summary;
  const { summary: render } = await import("../../../src/core/report/summary.js");
  const color = process.env.NO_COLOR === undefined || process.env.NO_COLOR === "";
  return render(JSON.parse(report) as Parameters<typeof render>[0], {
    width: process.stdout.columns,
    color,
  });
}

function exitCode({ passed, report }: Answer): ExitCode {
  if (passed) return EXIT.passed;
  const { state } = JSON.parse(report) as { state?: string };
  return state === "ERRORED" ? EXIT.broken : EXIT.checkFailed;
}

function usage(root: Step, checks: Step): string {
  const flags = functionHelp("slipway check [NAME…] [flags]", checks.fn, root.fn, undefined);
  return `${flags}
Flags of the command:
  -o, --output-dir FOLDER  where reports go (default: ${DEFAULT_REPORTS}; "" for none)
  --output text|json, -j   a table, or report.json, on standard output
  --engine, --progress, -q, --quiet: see slipway --help

SAFETY_API_KEY of the environment is the key for safety.
Exit codes: 0 passed, 1 a check failed, 2 usage or configuration, 3 a tool or the engine broke.
`;
}
