import type { Container } from "@dagger.io/dagger";

import type { ToolRun } from "../core/check.js";
import type { Config } from "../core/config/schema.js";
import { isTable } from "../core/toml.js";
import { testVerdict } from "../core/verdicts/pytest.js";
import { hasSetting, toolTable, type Context } from "./context.js";
import { installedVersion, projectContainer, SOURCE } from "./dependencies.js";
import { OUT, PYTEST_PLUGINS, runTool } from "./execution.js";
import { kept, switchedOff, type Outcome, type Stage } from "./stage.js";

const JUNIT = "junit.xml";
const COVERAGE = "coverage.json";
const COBERTURA = "coverage.xml";

/** How many tests there were to take a shard of. */
const CHOSEN = "chosen.txt";

/** A coverage report of more bytes than this is not read. */
const LONGEST_COVERAGE = 64 * 1024 * 1024;

/**
 * Command line of pytest. What it leaves: `junit.xml` (with file and line of each test),
 * `coverage.json` and `coverage.xml`.
 */
export function testCommand(
  context: Pick<Context, "config" | "project" | "pyproject" | "texts">,
): string[] {
  const { test } = context.config;
  return [
    "pytest",
    "-p",
    "slipway_watch",
    `--numprocesses=${test.workers}`,
    `--dist=${distribution(test)}`,
    `--junitxml=${OUT}/${JUNIT}`,
    "--override-ini=junit_family=xunit1",
    "--override-ini=cache_dir=/tmp/pytest",
    ...coverageArguments(context),
    ...(test.markers === "" ? [] : ["-m", test.markers]),
    ...test.args,
    ...testPaths(context),
  ];
}

/** The configured ones, else those of pytest's configuration, else the folders that were found. */
function testPaths(
  context: Pick<Context, "config" | "project" | "pyproject" | "texts">,
): readonly string[] {
  const { paths } = context.config.test;
  if (paths.length > 0) return paths;
  const settings = toolTable(context, "pytest") ?? {};
  const chosen =
    "testpaths" in settings ||
    (isTable(settings.ini_options) && "testpaths" in settings.ini_options) ||
    hasSetting(
      context,
      { "pytest.ini": "pytest", "setup.cfg": "tool:pytest", "tox.ini": "pytest" },
      ["testpaths"],
    );
  return chosen ? [] : context.project.layout.tests;
}

/** Without workers there is nothing to distribute, and pytest-xdist refuses to. */
function distribution(test: Config["test"]): string {
  return test.workers === 0 ? "no" : test.distribution;
}

/** The project's own choice of what to measure, else its packages. */
function coverageArguments(
  context: Pick<Context, "config" | "project" | "pyproject" | "texts">,
): string[] {
  if (!context.config.test.coverage.enabled) return [];
  const { packages } = context.project.layout;
  // Never all that is imported: that would count what Slipway itself loads.
  const found = packages.length > 0 ? packages.map((name) => `--cov=${name}`) : ["--cov=."];
  const sources = choosesSources(context) ? ["--cov"] : found;
  return [
    ...sources,
    `--cov-report=json:${OUT}/${COVERAGE}`,
    `--cov-report=xml:${OUT}/${COBERTURA}`,
  ];
}

function choosesSources(context: Pick<Context, "pyproject" | "texts">): boolean {
  const run = toolTable(context, "coverage")?.run;
  if (isTable(run) && ["source", "source_pkgs", "include"].some((key) => key in run)) return true;
  return hasSetting(
    context,
    { ".coveragerc": "run", "setup.cfg": "coverage:run", "tox.ini": "coverage:run" },
    ["source", "source_pkgs", "include"],
  );
}

/**
 * Runs the project's tests.
 *
 * @param prepare Gives the container what the tests need beside the project.
 */
export async function runTests(
  context: Context,
  prepare: (container: Container) => Container = (container) => container,
): Promise<Outcome> {
  const { test } = context.config;
  const { run, running, files, sizes } = await runTool(
    context,
    await testContainer(context, prepare),
    testCommand(context),
    {
      timeout: test.timeout,
      report: JUNIT,
      version: await installedVersion(context, "pytest"),
    },
  );
  const size = sizes[COVERAGE];
  const coverage =
    size !== undefined && size <= LONGEST_COVERAGE
      ? await files.file(COVERAGE).contents()
      : undefined;
  const chosen = CHOSEN in sizes ? Number(await files.file(CHOSEN).contents()) : 0;
  const result = testVerdict(run, {
    root: SOURCE,
    running,
    ...(coverage === undefined ? {} : { coverage }),
    ...(test.coverage.enabled ? { minimum: test.coverage.minimum } : {}),
    ...(test.shard === undefined ? {} : { shard: { name: test.shard, chosen } }),
  });
  return { result, reports: kept(files, sizes, [JUNIT, COVERAGE, COBERTURA]) };
}

/**
 * Lets pytest find the tests of `test.markers`, without running any.
 *
 * @param prepare Gives the container what the tests need beside the project.
 */
export async function collectTests(
  context: Context,
  prepare: (container: Container) => Container,
): Promise<ToolRun> {
  const { test } = context.config;
  const alone = { ...test, workers: 0, args: [...test.args, "--collect-only", "--quiet"] };
  const { run } = await runTool(
    context,
    await testContainer(context, prepare),
    testCommand({ ...context, config: { ...context.config, test: alone } }),
    { timeout: test.timeout, version: "" },
  );
  return run;
}

async function testContainer(
  context: Context,
  prepare: (container: Container) => Container,
): Promise<Container> {
  const container = prepare(await projectContainer(context));
  const path = (await container.envVariable("PYTHONPATH")) || undefined;
  return container
    .withEnvVariable("PYTHONPATH", [path, PYTEST_PLUGINS].filter(Boolean).join(":"))
    .withEnvVariable("COVERAGE_FILE", "/tmp/coverage")
    .withEnvVariable("SLIPWAY_SHARD", context.config.test.shard ?? "")
    .withEnvVariable("SLIPWAY_CHOSEN", `${OUT}/${CHOSEN}`);
}

export const testStage: Stage = {
  name: "test",
  skip: ({ config }) => switchedOff("test", config.test.enabled),
  run: (context) => runTests(context),
};
