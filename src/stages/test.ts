import type { Config } from "../core/config/schema.js";
import { isTable } from "../core/toml.js";
import { hasSetting, toolTable, type Context } from "./context.js";
import { OUT } from "./execution.js";

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
    `--junitxml=${OUT}/junit.xml`,
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
    (isTable(settings["ini_options"]) && "testpaths" in settings["ini_options"]) ||
    hasSetting(context, ["pytest.ini", "setup.cfg", "tox.ini"], /^\s*testpaths\s*=/m);
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
  const sources =
    choosesSources(context) || packages.length === 0
      ? ["--cov"]
      : packages.map((name) => `--cov=${name}`);
  return [
    ...sources,
    `--cov-report=json:${OUT}/coverage.json`,
    `--cov-report=xml:${OUT}/coverage.xml`,
  ];
}

function choosesSources(context: Pick<Context, "pyproject" | "texts">): boolean {
  const run = toolTable(context, "coverage")?.["run"];
  if (isTable(run) && ["source", "source_pkgs", "include"].some((key) => key in run)) return true;
  return hasSetting(
    context,
    [".coveragerc", "setup.cfg", "tox.ini"],
    /^\s*(source|source_pkgs|include)\s*=/m,
  );
}
