import { readFileSync } from "node:fs";

import { dag, ReturnType, type Container, type Directory, type Secret } from "@dagger.io/dagger";

import type { ToolRun } from "../core/check.js";
import type { Context } from "./context.js";

/** Where a tool leaves its reports; everything in it can be exported. */
export const OUT = "/out";

/** Where the programs are that go into the container beside a tool. */
export const HELPERS = "/slipway";

/** Folder for `PYTHONPATH` that holds the pytest plugin `slipway_watch`. */
export const PYTEST_PLUGINS = `${HELPERS}/pytest`;

/** Bytes of each output stream that are kept when a tool reports elsewhere. */
const KEPT_OUTPUT = 256 * 1024;

/** The longest report that is read: longer ones come from runaway tools, not from people's code. */
export const LONGEST_REPORT = 64 * 1024 * 1024;

interface ToolOptions {
  /** Seconds after which the tool is stopped. */
  readonly timeout: number;
  /** Report that the tool writes, relative to `OUT`. Without it, the report is standard output. */
  readonly report?: string;
  /** The tool's version, for the report. */
  readonly version: string;
  /** Environment variables of the tool that come from secrets. */
  readonly secrets?: Readonly<Record<string, Secret>>;
}

/** What one execution of a tool left. */
export interface Execution {
  readonly run: ToolRun;
  /** pytest's names of the tests that were running when the time was up. */
  readonly running: readonly string[];
  /** All that is in `OUT`. */
  readonly files: Directory;
  /** Bytes of each file in `OUT`, by relative path. */
  readonly sizes: Readonly<Record<string, number>>;
}

/** `run.json`, as `python/run.py` writes it. */
interface RunRecord {
  readonly exitCode: number;
  readonly durationMs: number;
  readonly startedAt: string;
  readonly running: readonly string[];
  readonly files: Readonly<Record<string, number>>;
}

/**
 * Runs a tool once, whatever its exit code, and reads what it left: the same execution gives the
 * report and the verdict. The duration is the tool's own, also when the answer comes from a cache.
 *
 * @param attempt An execution of its own, not the kept one; see `Context`.
 * @throws ExecError when something before the tool failed, such as an installation.
 */
export async function runTool(
  { attempt }: Pick<Context, "attempt">,
  container: Container,
  command: readonly string[],
  options: ToolOptions,
): Promise<Execution> {
  const secrets = Object.entries(options.secrets ?? {});
  const arguments_ = [
    "python3",
    `${HELPERS}/run.py`,
    `--out=${OUT}`,
    `--timeout=${options.timeout}`,
    `--keep=${options.report === undefined ? LONGEST_REPORT : KEPT_OUTPUT}`,
    ...secrets.map(([name]) => `--secret=${name}`),
    "--",
    ...command,
  ];
  const files = secrets
    .reduce(
      (each, [name, secret]) => each.withMountedSecret(`/run/secrets/${name}`, secret),
      container,
    )
    .withMountedDirectory(HELPERS, helpers())
    .withMountedTemp("/tmp")
    .with((ready) =>
      attempt === undefined ? ready : ready.withEnvVariable("SLIPWAY_ATTEMPT", attempt),
    )
    .withExec(arguments_, { expect: ReturnType.Any })
    .directory(OUT);
  const record = JSON.parse(await files.file("run.json").contents()) as RunRecord;
  const { report } = options;
  const left = report === undefined ? undefined : record.files[report];
  const [stdout, stderr, text] = await Promise.all([
    files.file("stdout.txt").contents(),
    files.file("stderr.txt").contents(),
    report !== undefined && left !== undefined && left <= LONGEST_REPORT
      ? files.file(report).contents()
      : undefined,
  ]);
  const run: ToolRun = {
    exitCode: record.exitCode,
    durationMs: record.durationMs,
    startedAt: record.startedAt,
    timeoutSeconds: options.timeout,
    version: options.version,
    stdout,
    stderr,
    ...(text === undefined ? {} : { report: text }),
  };
  return { run, running: record.running, files, sizes: record.files };
}

/** Makes an execution one of its own: never an earlier answer. */
export function newAttempt(): string {
  return `${new Date().toISOString()} ${Math.random()}`;
}

function helpers(): Directory {
  const text = (name: string): string =>
    readFileSync(new URL(`python/${name}`, import.meta.url), "utf8");
  return dag
    .directory()
    .withNewFile("run.py", text("run.py"))
    .withNewFile("answers.py", text("answers.py"))
    .withNewFile("advisories.py", text("advisories.py"))
    .withNewFile("model_registry.py", text("model_registry.py"))
    .withNewFile("osv.py", text("osv.py"))
    .withNewFile("pytest/slipway_watch.py", text("slipway_watch.py"));
}
