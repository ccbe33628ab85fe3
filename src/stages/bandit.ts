import { toolTable, type Context } from "./context.js";
import { OUT } from "./execution.js";

/** Command line of bandit. The project's own `[tool.bandit]` holds, besides Slipway's settings. */
export function banditCommand(
  context: Pick<Context, "config" | "project" | "pyproject">,
): string[] {
  const { bandit } = context.config;
  return [
    "bandit",
    "--recursive",
    "--quiet",
    "--format=json",
    `--output=${OUT}/bandit.json`,
    `--severity-level=${bandit.severity}`,
    `--confidence-level=${bandit.confidence}`,
    ...(toolTable(context, "bandit") ? ["--configfile=pyproject.toml"] : []),
    ...(bandit.skips.length > 0 ? [`--skip=${bandit.skips.join(",")}`] : []),
    ...(bandit.paths ?? context.project.layout.source),
  ];
}
