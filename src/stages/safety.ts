import { safetyVerdict, safetyWithoutKey } from "../core/verdicts/safety.js";
import { exactRequirements, toolContainer } from "./dependencies.js";
import { OUT, runTool } from "./execution.js";
import { auditPeriod, decidingFile } from "./pipAudit.js";
import { REQUIREMENTS, withRequirements } from "./requirements.js";
import { switchedOff, type Stage } from "./stage.js";
import { toolVersion } from "./tools.js";

const REPORT = "safety.json";

/** This version of safety breaks with later ones of what it is made of; authlib's only warn, at each run. */
const BESIDE = ["typer<0.16", "click<8.2", "authlib<1.7"];

/** Command line of safety over the folder that holds the exact requirements. */
export function safetyCommand(folder: string): string[] {
  return [
    "safety",
    "--stage=cicd",
    "--disable-optional-telemetry",
    "scan",
    `--target=${folder}`,
    "--output=json",
    "--save-as",
    "json",
    `${OUT}/${REPORT}`,
  ];
}

export const safetyStage: Stage = {
  name: "safety",
  skip: ({ config, safetyKey }) =>
    switchedOff("safety", config.safety.enabled) ??
    (safetyKey ? undefined : safetyWithoutKey().reason),
  async run(context) {
    const { config, project, safetyKey } = context;
    const { all } = await exactRequirements(context);
    const container = withRequirements(
      toolContainer(context, "safety", BESIDE),
      all,
    ).withEnvVariable("SLIPWAY_AUDIT_PERIOD", auditPeriod(new Date()));
    const { run } = await runTool(context, container, safetyCommand(REQUIREMENTS), {
      timeout: config.timeouts.check,
      report: REPORT,
      version: toolVersion("safety", project.locked),
      secrets: safetyKey ? { SAFETY_API_KEY: safetyKey } : {},
    });
    return { result: safetyVerdict(run, decidingFile(context)), reports: {} };
  },
};
