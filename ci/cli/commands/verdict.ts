import { appendFile } from "node:fs/promises";
import { resolve } from "node:path";
import { EXIT, type ExitCode } from "../failure.js";
import { explainFailure } from "../module/explain.js";
import { functionHelp, SIGNER } from "../module/help.js";
import { invoke } from "../module/invoke.js";
import { folderOf } from "../module/load.js";
import type { OwnFlags } from "../module/parse.js";
import { prepare } from "../module/prepare.js";
import { commonFlags, readOptions } from "../options.js";
import { withSession } from "../run.js";
import { sessionFlags } from "../session/flags.js";

const OWN_FLAGS: OwnFlags = {
  ...commonFlags,
  json: { takesValue: false, alias: "j" },
};

/** Of those that have a folder to write. */
const FOLDER_FLAG: OwnFlags = { "output-dir": { takesValue: true, alias: "o" } };

/** What is asked of a report; each kind of report has some of it. */
interface Answer {
  readonly passed?: boolean;
  readonly state?: string;
  readonly table: string;
  readonly json: string;
  readonly markdown?: string;
  readonly reference?: string;
  readonly tags?: readonly string[];
}

/** A function whose report is a verdict: what is asked of it, and the folder that `-o` writes. */
interface Verdict {
  readonly fields: string;
  readonly folder?: string;
}

export const VERDICTS = {
  scan: { fields: "passed state table json" },
  verify: { fields: "passed table json markdown", folder: "evidence" },
  release: { fields: "reference tags table json markdown", folder: "evidence" },
  validate: { fields: "passed table json markdown" },
} as const satisfies Readonly<Record<string, Verdict>>;

const SIGNING: readonly string[] = ["release", "validate"];

/** What each exit code means here. */
const CODES: Readonly<Record<keyof typeof VERDICTS, string>> = {
  scan: "Exit codes: 0 nothing stops the image, 1 something does, 2 usage or configuration, 3 nothing is known:\nno database, or something broke.",
  verify:
    "Exit codes: 0 every rule holds, 1 one does not, 2 usage or configuration, 3 something broke.",
  release:
    "Exit codes: 0 released, 1 stopped by the checks, the scan, the model or the verification,\n2 usage or configuration, 3 something broke.",
  validate: "Exit codes: 0 nothing stands in the way, 2 something does, 3 something broke.",
};

/** `slipway scan|verify|release|validate`: the function's report as a table, its verdict as the exit code. */
export async function verdict(
  name: keyof typeof VERDICTS,
  given: Readonly<Record<string, unknown>>,
  words: readonly string[],
  signal: AbortSignal,
): Promise<ExitCode> {
  const common = readOptions(given, sessionFlags(words));
  // A scan may be known; of the others none is.
  const options = { ...common, eager: name === "scan" ? undefined : folderOf(common) };
  const kind: Verdict = VERDICTS[name];
  return await withSession(options, signal, async (session, settle) => {
    const prepared = await prepare(session, common, {
      start: [name],
      rest: words,
      ownFlags: { ...OWN_FLAGS, ...(kind.folder !== undefined && FOLDER_FLAG) },
    });
    const { steps, own } = prepared;
    const [root, step] = steps;
    if (prepared.help && root && step) {
      process.stdout.write(
        usage(name, functionHelp(`slipway ${name} [flags]`, step.fn, root.fn, undefined)),
      );
      return EXIT.passed;
    }
    const json = readOptions(given, own).output === "json" || own.has("json");
    const folder = own.get("output-dir");
    const write =
      folder === undefined || kind.folder === undefined
        ? ""
        : `${kind.folder} { export(path: ${JSON.stringify(resolve(folder))}) }`;
    let answer: Answer;
    try {
      answer = (await invoke(session, steps, `{ ${kind.fields} ${write} }`)) as Answer;
    } catch (error) {
      throw await explainFailure(error, steps);
    }
    settle();
    process.stdout.write(json ? `${answer.json}\n` : text(answer));
    await stepSummary(answer);
    if (answer.passed ?? true) return EXIT.passed;
    // Nothing was begun that could have failed.
    if (name === "validate") return EXIT.usage;
    return answer.state === "ERRORED" ? EXIT.broken : EXIT.checkFailed;
  });
}

function text({ table, reference, tags }: Answer): string {
  if (tags === undefined) return table;
  return [table, `released ${reference ?? ""}`, ...tags.map((tag) => `  as ${tag}`), ""].join("\n");
}

/** On GitHub, the evidence is also what the job's page shows. */
export async function stepSummary({ markdown }: Pick<Answer, "markdown">): Promise<void> {
  const file = process.env.GITHUB_STEP_SUMMARY;
  if (markdown === undefined || file === undefined || file === "") return;
  await appendFile(file, markdown).catch((error: unknown) => {
    process.stderr.write(`the step summary could not be written: ${(error as Error).message}\n`);
  });
}

function usage(name: keyof typeof VERDICTS, flags: string): string {
  const { folder }: Verdict = VERDICTS[name];
  const own = folder === undefined ? [] : [`  -o, --output-dir FOLDER  write the ${folder} there`];
  return [
    flags,
    "Flags of the command:",
    ...own,
    "  --output text|json, -j   how the result is written to standard output",
    "  --engine, --progress, -q, --quiet: see slipway --help",
    "",
    ...(SIGNING.includes(name) ? [SIGNER] : []),
    CODES[name],
    "",
  ].join("\n");
}
