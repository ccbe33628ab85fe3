import { randomUUID } from "node:crypto";

import { clean, fenced } from "../../../src/core/text.js";
import { CHANGING, DELIVERIES, type DeliveryCommand } from "../deliveries.js";
import { EXIT, type CliError, type ExitCode } from "../failure.js";
import { clusterFlags } from "../module/cluster.js";
import { explainFailure, reportedEnd } from "../module/explain.js";
import { functionHelp } from "../module/help.js";
import { invoke } from "../module/invoke.js";
import { folderOf } from "../module/load.js";
import { harmless } from "../harmless.js";
import type { Step } from "../module/parse.js";
import { prepare } from "../module/prepare.js";
import { commonFlags, readOptions, type CommonOptions } from "../options.js";
import { withSession } from "../run.js";
import type { Session } from "../session/open.js";
import { sessionFlags } from "../session/flags.js";
import { stepSummary } from "./verdict.js";

const OWN_FLAGS = { ...commonFlags, json: { takesValue: false, alias: "j" } };

interface Answer {
  readonly state: string;
  readonly table: string;
  readonly json: string;
  readonly markdown: string;
}

/** `slipway deploy` and its like: the function's text, and its outcome as the exit code. */
export async function deliver(
  name: DeliveryCommand,
  given: Readonly<Record<string, unknown>>,
  words: readonly string[],
  signal: AbortSignal,
): Promise<ExitCode> {
  const common = readOptions(given, sessionFlags(words));
  const run = randomUUID().slice(0, 8);
  let steps: readonly Step[] = [];
  const [called] = DELIVERIES[name];
  const work = async (session: Session, settle: () => void): Promise<ExitCode> => {
    const prepared = await prepare(session, common, {
      ...{ start: [called], rest: words, ownFlags: OWN_FLAGS, run },
    });
    const { own } = prepared;
    const [root, step] = prepared.steps;
    if (prepared.help && root && step) {
      const title = `slipway ${name} [flags]`;
      process.stdout.write(`${functionHelp(title, step.fn, root.fn, undefined)}${notes(name)}`);
      return EXIT.passed;
    }
    const json = readOptions(given, own).output === "json" || own.has("json");
    steps = prepared.steps;
    let answer: Answer;
    try {
      answer = (await invoke(session, steps, "{ state table json markdown }")) as Answer;
    } catch (error) {
      throw (await concluded(error, steps)) ?? (await explainFailure(error, steps));
    }
    settle();
    process.stdout.write(json ? `${answer.json}\n` : answer.table);
    if (CHANGING.includes(name)) await stepSummary(answer);
    return answer.state === "unhealthy" ? EXIT.checkFailed : EXIT.passed;
  };
  try {
    return await withSession(
      { ...common, eager: folderOf(common) },
      signal,
      work,
      `slipway.${called}`,
    );
  } catch (error) {
    if (signal.aborted && steps.length > 0 && CHANGING.includes(name))
      await takeBack(common, steps, run);
    throw error;
  }
}

/** An end with a number of its own, told in GitHub's step summary too. */
async function concluded(error: unknown, steps: readonly Step[]): Promise<CliError | undefined> {
  const end = reportedEnd(error, steps);
  if (end) await stepSummary({ markdown: `### Delivery\n\n${fenced(clean(end.message))}` });
  return end;
}

/** The command was interrupted: what this run began is ended, by a run that is not. */
async function takeBack(common: CommonOptions, steps: readonly Step[], run: string): Promise<void> {
  process.stderr.write("Interrupted: taking back what was begun; once more leaves it as it is.\n");
  const [root, step] = steps;
  if (!root || !step) return;
  const rest = ["--run", run, ...clusterFlags(step)];
  try {
    await withSession(common, new AbortController().signal, async (session) => {
      const words = { start: ["abort"], rest, ownFlags: OWN_FLAGS, run };
      const [, abort] = (await prepare(session, common, words)).steps;
      if (!abort) return;
      const answer = await invoke(session, [root, abort], "{ table }");
      process.stderr.write((answer as Answer).table);
    });
  } catch (error) {
    const told = (await concluded(error, steps)) ?? error;
    process.stderr.write(`${harmless(told instanceof Error ? told.message : String(told))}\n`);
  }
}

/** What the help says besides: where the cluster is from, and what each exit code means here. */
function notes(name: DeliveryCommand): string {
  return `
KUBE_CONFIG_DATA, else KUBECONFIG or ~/.kube/config, is the cluster.
Exit codes: ${CODES[name] ?? CHANGED}
`;
}

const CHANGED = `0 done, 1 failed and taken back, 2 refused before anything was touched, 3 something broke,
4 paused (inconclusive), 130 interrupted and taken back.`;
const CODES: Readonly<Partial<Record<DeliveryCommand, string>>> = {
  status:
    "0 what is live serves in full, 1 it does not, 2 usage or configuration, 3 something broke.",
  history: "0 told, 2 usage or configuration, 3 something broke.",
  abort: "0 done, 2 refused before anything was touched, 3 something broke.",
};
