import type { Config } from "../core/config/schema.js";
import { formatVerdict } from "../core/verdicts/ruff.js";
import { SOURCE, toolContainer } from "./dependencies.js";
import { runTool } from "./execution.js";
import { switchedOff, type Stage } from "./stage.js";
import { toolVersion } from "./tools.js";

/** Command line of `ruff format --check`: names the files that it would change, changes none. */
export function formatCommand({ format }: Pick<Config, "format">): string[] {
  return ["ruff", "format", "--check", "--no-cache", "--output-format=json", "--", ...format.paths];
}

export const formatStage: Stage = {
  name: "format",
  skip: ({ config }) => switchedOff("format", config.format.enabled),
  async run(context) {
    const { config, project } = context;
    const { run } = await runTool(context, toolContainer(context, "ruff"), formatCommand(config), {
      timeout: config.timeouts.check,
      version: toolVersion("ruff", project.locked),
    });
    return { result: formatVerdict(run, SOURCE), reports: {} };
  },
};
