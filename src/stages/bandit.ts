import { banditVerdict } from "../core/verdicts/bandit.js";
import { toolTable, type Context } from "./context.js";
import { SOURCE, toolContainer } from "./dependencies.js";
import { OUT, runTool } from "./execution.js";
import { switchedOff, type Stage } from "./stage.js";
import { toolVersion } from "./tools.js";

const REPORT = "bandit.json";

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
    `--output=${OUT}/${REPORT}`,
    `--severity-level=${bandit.severity}`,
    `--confidence-level=${bandit.confidence}`,
    ...(toolTable(context, "bandit") ? ["--configfile=pyproject.toml"] : []),
    ...(bandit.skips.length > 0 ? [`--skip=${bandit.skips.join(",")}`] : []),
    ...(bandit.paths ?? context.project.layout.source),
  ];
}

export const banditStage: Stage = {
  name: "bandit",
  skip: ({ config, project }) =>
    switchedOff("bandit", config.bandit.enabled) ??
    ((config.bandit.paths ?? project.layout.source).length === 0
      ? "there is no code to examine: set project.source or bandit.paths"
      : undefined),
  async run(context) {
    const { config, project } = context;
    const { run } = await runTool(toolContainer(context, "bandit"), banditCommand(context), {
      timeout: config.timeouts.check,
      report: REPORT,
      version: toolVersion("bandit", project.locked),
    });
    return { result: banditVerdict(run, SOURCE, config.bandit), reports: {} };
  },
};
