import type { Config } from "../core/config/schema.js";
import { OUT } from "./execution.js";

/** Name under which the caller's own advisory service is reached. */
export const ADVISORIES_ALIAS = "advisories";

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
    `--output=${OUT}/pip-audit.json`,
    "--vulnerability-service=osv",
    ...(advisories === undefined ? [] : [`--osv-url=${advisories.replace(/\/+$/, "")}/v1/query`]),
  ];
}
