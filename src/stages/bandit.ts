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
    ...(bandit.paths ?? defaultPaths(context.project)),
  ];
}

/** The code that was found, else all but the tests: what is not recognised is not left out. */
function defaultPaths({ layout }: Context["project"]): readonly string[] {
  if (layout.source.length > 0) return layout.source;
  const excluded = layout.tests.map((path) => `./${path}`).join(",");
  return [...(excluded === "" ? [] : [`--exclude=${excluded}`]), "."];
}

export const banditStage: Stage = {
  name: "bandit",
  skip: ({ config }) => switchedOff("bandit", config.bandit.enabled),
  async run(context) {
    const { config, project } = context;
    const { run } = await runTool(
      context,
      toolContainer(context, "bandit"),
      banditCommand(context),
      {
        timeout: config.timeouts.check,
        report: REPORT,
        version: toolVersion("bandit", project.locked),
      },
    );
    return { result: banditVerdict(run, SOURCE, config.bandit), reports: {} };
  },
};
