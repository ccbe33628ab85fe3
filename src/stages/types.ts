import { hasSetting, toolTable, type Context } from "./context.js";

/** Command line of mypy; `cache` is a folder that later runs find again. */
export function typesCommand(
  context: Pick<Context, "config" | "project" | "pyproject" | "texts">,
  cache: string,
): string[] {
  const { types } = context.config;
  return [
    "mypy",
    "--output=json",
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
    hasSetting(
      context,
      ["mypy.ini", ".mypy.ini", "setup.cfg"],
      /^\s*(files|packages|modules)\s*=/m,
    );
  if (chosen) return [];
  const { layout } = context.project;
  return [...layout.source, ...layout.tests];
}
