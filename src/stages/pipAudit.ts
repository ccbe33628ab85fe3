import { auditVerdict } from "../core/verdicts/audit.js";
import { skipped } from "../core/verdicts/verdict.js";
import type { Context } from "./context.js";
import { exactRequirements, packageNames, toolContainer } from "./dependencies.js";
import { HELPERS, OUT, runTool } from "./execution.js";
import { REQUIREMENTS_FILE, withRequirements } from "./requirements.js";
import { switchedOff, type Stage } from "./stage.js";
import { toolVersion } from "./tools.js";

const REPORT = "pip-audit.json";

/**
 * Command line of pip-audit over exact requirements: nothing is resolved or installed, and what
 * can't be audited fails the run (`--strict`) instead of being left out.
 *
 * @param advisories Base URL of a mirror of the OSV service; undefined for the public one.
 */
export function pipAuditCommand(requirements: string, advisories: string | undefined): string[] {
  return [
    "pip-audit",
    "--strict",
    "--requirement",
    requirements,
    "--no-deps",
    "--disable-pip",
    "--progress-spinner=off",
    "--desc=on",
    "--aliases=on",
    "--format=json",
    `--output=${OUT}/${REPORT}`,
    "--vulnerability-service=osv",
    ...(advisories === undefined ? [] : [`--osv-url=${advisories.replace(/\/+$/, "")}/v1/query`]),
  ];
}

/** Where the caller's own advisories are, and what serves them while pip-audit runs. */
const ADVISORIES = "/advisories";
const SERVED = ["python3", `${HELPERS}/advisories.py`, `--folder=${ADVISORIES}`, "--"];

const HOUR = 3_600_000;

/** Hours after which the same dependencies are audited again: advisories appear meanwhile. */
const FRESH = 6;

/** Changes every `FRESH` hours, and with it the identity of an audit. */
export function auditPeriod(now: Date): string {
  return new Date(Math.floor(now.getTime() / (FRESH * HOUR)) * FRESH * HOUR).toISOString();
}

/** The file that decides the versions: findings point there. */
export function decidingFile({ project }: Pick<Context, "project">): string {
  return project.lockFile ?? project.requirementFiles[0] ?? "pyproject.toml";
}

export const pipAuditStage: Stage = {
  name: "pipAudit",
  skip: ({ config }) => switchedOff("audit", config.audit.enabled),
  async run(context) {
    const { config, project, advisories } = context;
    const { all } = await exactRequirements(context);
    if (packageNames(all.text).size === 0) {
      const reason = "the project has no dependencies, so there is nothing to audit";
      return { result: skipped("pipAudit", reason), reports: {} };
    }
    const now = new Date();
    const container = withRequirements(toolContainer(context, "pip-audit"), all);
    const audit = (mirror: string | undefined) => pipAuditCommand(REQUIREMENTS_FILE, mirror);
    const { run } = await runTool(
      context,
      advisories
        ? container.withMountedDirectory(ADVISORIES, advisories)
        : container.withEnvVariable("SLIPWAY_AUDIT_PERIOD", auditPeriod(now)),
      advisories ? [...SERVED, ...audit("{url}")] : audit(config.audit.advisories),
      {
        timeout: config.timeouts.check,
        report: REPORT,
        version: toolVersion("pip-audit", project.locked),
      },
    );
    const result = auditVerdict(run, {
      ignore: config.audit.ignore,
      today: now.toISOString().slice(0, 10),
      file: decidingFile(context),
    });
    return { result, reports: {} };
  },
};
