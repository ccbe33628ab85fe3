import { readFileSync } from "node:fs";

import { dag, type Directory } from "@dagger.io/dagger";

import { CHECK_NAMES, type CheckName, type CheckResult } from "../core/check.js";
import { SlipwayError } from "../core/errors.js";
import { nearest } from "../core/nearest.js";
import { markdown } from "../core/report/markdown.js";
import { reportPage } from "../core/report/page.js";
import { makeReport, type Report } from "../core/report/report.js";
import { toSarif } from "../core/sarif.js";
import { banditStage } from "./bandit.js";
import type { Context } from "./context.js";
import { formatStage } from "./format.js";
import { lintStage } from "./lint.js";
import { decidingFile, pipAuditStage } from "./pipAudit.js";
import { safetyStage } from "./safety.js";
import { runStage, type Outcome, type Stage } from "./stage.js";
import { testStage } from "./test.js";
import { typesStage } from "./types.js";

const STAGES: Readonly<Record<CheckName, Stage>> = {
  lint: lintStage,
  format: formatStage,
  types: typesStage,
  test: testStage,
  bandit: banditStage,
  pipAudit: pipAuditStage,
  safety: safetyStage,
};

/** Files whose lines are read so that SARIF fingerprints survive moved lines. */
const MOST_SOURCES = 100;

/** The verdicts on a project, and the files that they stand in. */
export interface Checked {
  readonly report: Report;
  readonly files: Directory;
}

/**
 * Runs checks side by side and lets all of them finish.
 *
 * @param names Checks to run; empty for all.
 * @param previous The report of an earlier run, for the page to say what changed since.
 */
export async function runChecks(
  context: Context,
  names: readonly CheckName[],
  previous?: Report,
): Promise<Checked> {
  const chosen = names.length === 0 ? CHECK_NAMES : names;
  const outcomes = await Promise.all(chosen.map((name) => runStage(STAGES[name], context)));
  const { project } = context;
  const sarif = await sarifFiles(outcomes, context);
  const report = makeReport(
    {
      name: project.name,
      version: project.version,
      kind: project.kind,
      python: project.python.version,
    },
    new Date(),
    outcomes.map(({ result }) => result),
    [...context.notices, ...sarif.notices],
  );
  let files = withReport(dag.directory(), report, previous).withNewFile(
    "summary.md",
    markdown(report),
  );
  for (const [name, text] of Object.entries(sarif.files)) files = files.withNewFile(name, text);
  for (const { reports } of outcomes)
    for (const [name, file] of Object.entries(reports)) files = files.withFile(name, file);
  return { report, files };
}

/** A folder with a report, for programs and as a page. */
export function withReport(folder: Directory, report: Report, previous?: Report): Directory {
  const template = readFileSync(new URL("../core/report/page.html", import.meta.url), "utf8");
  return folder
    .withNewFile("report.json", `${JSON.stringify(report, null, 2)}\n`)
    .withNewFile("report.html", reportPage(template, report, previous));
}

/**
 * The names of checks, as a person gives them.
 *
 * @throws SlipwayError USAGE naming the nearest one when there is no such check.
 */
export function checkNames(names: readonly string[]): CheckName[] {
  return names.map((name) => {
    const found = CHECK_NAMES.find(
      (known) => known.toLowerCase() === name.toLowerCase().replaceAll("-", ""),
    );
    if (found) return found;
    const meant = nearest(name, CHECK_NAMES);
    throw new SlipwayError(
      "USAGE",
      `There is no check "${name}"${meant === undefined ? "" : `; did you mean "${meant}"?`} The checks are ${CHECK_NAMES.join(", ")}.`,
    );
  });
}

async function sarifFiles(
  outcomes: readonly Outcome[],
  context: Context,
): Promise<{ files: Record<string, string>; notices: string[] }> {
  const sources = await sourceLines(
    outcomes.map(({ result }) => result),
    context,
  );
  const files: Record<string, string> = {};
  const notices: string[] = [];
  for (const { result } of outcomes) {
    const sarif = toSarif(result, {
      sources,
      fallbackFile: decidingFile(context),
      folder: context.folder,
    });
    if (!sarif) continue;
    files[`sarif/${result.tool}.sarif`] = sarif.text;
    if (sarif.notice !== undefined) notices.push(sarif.notice);
  }
  return { files, notices };
}

/** Lines of the files that findings point at. */
async function sourceLines(
  results: readonly CheckResult[],
  { source }: Context,
): Promise<Map<string, readonly string[]>> {
  const named = results.flatMap(({ findings }) => findings.map(({ file }) => file));
  const files = [...new Set(named)].filter((file) => file?.endsWith(".py")).slice(0, MOST_SOURCES);
  const entries = await Promise.all(
    files.map(async (file = "") => {
      // A tool may name a file of its own; without its lines the fingerprint is of the message.
      const text = await source
        .file(file)
        .contents()
        .catch(() => "");
      return [file, text.split("\n")] as const;
    }),
  );
  return new Map(entries);
}
