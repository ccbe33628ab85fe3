import { dag } from "@dagger.io/dagger";

import { reportOptions, typesVerdict } from "../core/verdicts/mypy.js";
import { installedVersion, projectContainer, SOURCE } from "./dependencies.js";
import { runTool } from "./execution.js";
import { switchedOff, type Stage } from "./stage.js";
import { hasSetting, toolTable, type Context } from "./context.js";

/** Command line of a version of mypy; `cache` is a folder that later runs find again. */
export function typesCommand(
  context: Pick<Context, "config" | "project" | "pyproject" | "texts">,
  cache: string,
  version: string,
): string[] {
  const { types } = context.config;
  return [
    "mypy",
    ...reportOptions(version),
    "--no-error-summary",
    "--hide-error-context",
    `--cache-dir=${cache}`,
    ...(types.strict === true ? ["--strict"] : []),
    ...types.args,
    "--",
    ...(types.paths ?? defaultPaths(context)),
  ];
}

/** None where mypy's own configuration names them, else the code and the tests. */
function defaultPaths(
  context: Pick<Context, "project" | "pyproject" | "texts">,
): readonly string[] {
  const settings = toolTable(context, "mypy") ?? {};
  const chosen =
    ["files", "packages", "modules"].some((key) => key in settings) ||
    hasSetting(context, { "mypy.ini": "mypy", ".mypy.ini": "mypy", "setup.cfg": "mypy" }, [
      "files",
      "packages",
      "modules",
    ]);
  if (chosen) return [];
  const { source, tests } = context.project.layout;
  if (source.length === 0) return ["."];
  // Tests inside of a package, named beside it, are a second module of the same name to mypy.
  const outside = tests.filter(
    (path) => !source.some((folder) => `${path}/`.startsWith(`${folder}/`)),
  );
  return [...source, ...outside];
}

const CACHE = "/cache/mypy";

export const typesStage: Stage = {
  name: "types",
  skip: ({ config }) => switchedOff("types", config.types.enabled),
  async run(context) {
    const { config, project } = context;
    // mypy checks by content what it finds there; a folder for each project keeps it small.
    const volume = dag.cacheVolume(`slipway-mypy-${project.name}-${project.python.version}`);
    const container = (await projectContainer(context)).withMountedCache(CACHE, volume);
    const version = await installedVersion(context, "mypy");
    const { run } = await runTool(context, container, typesCommand(context, CACHE, version), {
      timeout: config.timeouts.check,
      version,
    });
    return { result: typesVerdict(run, SOURCE), reports: {} };
  },
};
