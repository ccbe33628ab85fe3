/**
 * Runs the conformance cases against the session in DAGGER_SESSION_PORT and DAGGER_SESSION_TOKEN,
 * or, without them, through the `dagger` command in the PATH.
 *
 *     tsx test/conformance/run.ts [--filter TEXT] [--json FILE] [--without-registry] [--list]
 */
import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";

import { connect, ExecError, type Client } from "@dagger.io/dagger";

import { daggerCommand } from "../../ci/cli/session/open.js";
import type { Case } from "./case.js";
import { allCases } from "./cases/index.js";
import { within } from "./limit.js";
import { sharedModule, withTools } from "./tools.js";

const CONCURRENCY = 2;
const CASE_LIMIT_MS = 120_000;

interface Outcome {
  name: string;
  state: "passed" | "failed" | "skipped";
  ms: number;
  error?: string;
}

const { values: options } = parseArgs({
  options: {
    filter: { type: "string", default: "" },
    json: { type: "string" },
    list: { type: "boolean", default: false },
    "without-registry": { type: "boolean", default: false },
  },
});

const chosen = allCases.filter(({ name }) => name.includes(options.filter));
if (options.list) {
  for (const { name } of chosen) console.log(name);
} else if (chosen.length === 0) {
  console.error(`No case has ${JSON.stringify(options.filter)} in its name; --list shows them.`);
  process.exitCode = 2;
} else {
  await main();
}

async function main(): Promise<void> {
  // A case that failed early may have left a request behind that fails later.
  process.on("unhandledRejection", (error) => {
    console.log(`left behind by a case: ${describe(error)}`);
  });
  const outcomes: Outcome[] = [];
  // Left to itself the SDK downloads a command of its own version.
  const command = await daggerCommand(process.env);
  if (command !== undefined) process.env._EXPERIMENTAL_DAGGER_CLI_BIN = command;
  await connect(async (dag) => {
    const module = sharedModule(dag);
    const queue = [...chosen];
    const work = async (): Promise<void> => {
      for (let next = queue.shift(); next; next = queue.shift()) {
        const outcome = await attempt(next, dag, module);
        outcomes.push(outcome);
        report(outcome);
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, work));
  });
  outcomes.sort((a, b) => (a.name < b.name ? -1 : 1));
  if (options.json !== undefined) {
    await writeFile(options.json, `${JSON.stringify(outcomes, null, 2)}\n`);
  }
  const count = (state: Outcome["state"]): number =>
    outcomes.filter((outcome) => outcome.state === state).length;
  const skipped = count("skipped");
  const rest = skipped > 0 ? `, ${String(skipped)} skipped` : "";
  console.log(`${String(count("passed"))} passed, ${String(count("failed"))} failed${rest}`);
  // What a case that ran into its limit left open must not hold the process.
  process.exit(count("failed") > 0 ? 1 : 0);
}

async function attempt(
  { name, needs, run }: Case,
  dag: Client,
  module: ReturnType<typeof sharedModule>,
): Promise<Outcome> {
  if (needs.registry && options["without-registry"]) return { name, state: "skipped", ms: 0 };
  let began = Date.now();
  try {
    if (needs.module) await module();
    began = Date.now();
    const registry = process.env.CONFORMANCE_REGISTRY;
    const running = withTools(dag, { registry, module }, (tools) => run(dag, tools));
    await within(CASE_LIMIT_MS, running);
    return { name, state: "passed", ms: Date.now() - began };
  } catch (error) {
    return { name, state: "failed", ms: Date.now() - began, error: describe(error) };
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const output = error instanceof ExecError ? `\n${error.stdout}${error.stderr}` : "";
  return `${error.message}${output}`.trim();
}

function report({ name, state, ms, error }: Outcome): void {
  const label = { passed: "ok  ", failed: "FAIL", skipped: "skip" }[state];
  console.log(
    `${label} ${name} ${state === "skipped" ? "(--without-registry)" : `${String(ms)} ms`}`,
  );
  if (error !== undefined) console.log(error.replace(/^/gm, "       "));
}
