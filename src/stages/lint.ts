import type { Config } from "../core/config/schema.js";
import { lintVerdict } from "../core/verdicts/ruff.js";
import { SOURCE, toolContainer } from "./dependencies.js";
import { OUT, runTool } from "./execution.js";
import { switchedOff, type Stage } from "./stage.js";
import { toolVersion } from "./tools.js";

const REPORT = "ruff.json";

/** Command line of `ruff check`: changes nothing, reports as JSON. */
export function lintCommand({ lint }: Pick<Config, "lint">): string[] {
  return [
    "ruff",
    "check",
    "--no-fix",
    "--no-cache",
    "--output-format=json",
    `--output-file=${OUT}/${REPORT}`,
    ...lint.args,
    "--",
    ...lint.paths,
  ];
}

export const lintStage: Stage = {
  name: "lint",
  skip: ({ config }) => switchedOff("lint", config.lint.enabled),
  async run(context) {
    const { config, project } = context;
    const { run } = await runTool(context, toolContainer(context, "ruff"), lintCommand(config), {
      timeout: config.timeouts.check,
      report: REPORT,
      version: toolVersion("ruff", project.locked),
    });
    return { result: lintVerdict(run, SOURCE), reports: {} };
  },
};
