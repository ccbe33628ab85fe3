import * as z from "zod";
import type { CheckResult, Finding, ToolRun } from "../check.js";
import type { IgnoredAdvisory } from "../config/evidence.js";
import { clean, oneLine, plural } from "../text.js";
import { broken, cutShort, judged, readJson } from "./verdict.js";

const schema = z.object({
  dependencies: z.array(
    z.object({
      name: z.string(),
      version: z.string().optional(),
      skip_reason: z.string().optional(),
      vulns: z
        .array(
          z.object({
            id: z.string(),
            aliases: z.array(z.string()).default([]),
            fix_versions: z.array(z.string()).default([]),
            description: z.string().nullish(),
          }),
        )
        .optional(),
    }),
  ),
});

export interface AuditOptions {
  /** `audit.ignore` of the configuration, expired entries too: they ignore nothing. */
  readonly ignore: readonly IgnoredAdvisory[];
  /** ISO day by which they expire. */
  readonly today: string;
  /** The file that decides the versions, such as poetry.lock: findings point there. */
  readonly file?: string;
}

/**
 * The verdict on `pip-audit -f json`. A dependency that could not be audited, or no dependency at
 * all, is ERRORED: nothing is known then.
 */
export function auditVerdict(run: ToolRun, options: AuditOptions): CheckResult {
  const early = cutShort("pipAudit", run);
  if (early) return early;
  const { data } = schema.safeParse(readJson(run.report ?? run.stdout));
  if (!data || run.exitCode > 1)
    return broken(
      "pipAudit",
      run,
      `pip-audit exited with ${run.exitCode} and left no report that can be read`,
    );
  const { dependencies } = data;
  const found = dependencies.flatMap((one) => (one.vulns ?? []).map((vuln) => ({ one, vuln })));
  const active = new Set(
    options.ignore
      .filter((entry) => entry.expires >= options.today)
      .map((entry) => entry.id.toUpperCase()),
  );
  const findings = found
    .filter(({ vuln }) => ![vuln.id, ...vuln.aliases].some((id) => active.has(id.toUpperCase())))
    .map(({ one, vuln }): Finding => ({
      ruleId: vuln.id,
      level: "error",
      message: `${clean(one.name)} ${clean(one.version ?? "")}: ${oneLine(vuln.description ?? "has an advisory", 500)} Fixed in: ${vuln.fix_versions.map(clean).join(", ") || "no version yet"}.`,
      ...(options.file === undefined ? {} : { file: options.file, line: 1 }),
      ...(vuln.fix_versions.length === 0
        ? {}
        : { fix: `${clean(one.name)} ${vuln.fix_versions.map(clean).join(" or ")}` }),
      helpUri: `https://osv.dev/vulnerability/${encodeURIComponent(vuln.id)}`,
    }));
  const unaudited = dependencies.filter(
    (one) => one.skip_reason !== undefined || one.vulns === undefined,
  );
  if (unaudited.length > 0) {
    const list = unaudited
      .slice(0, 5)
      .map((one) => `${clean(one.name)} (${oneLine(one.skip_reason ?? "no answer", 120)})`);
    return broken(
      "pipAudit",
      run,
      `${plural(unaudited.length, "dependency", "dependencies")} could not be audited: ${list.join(", ")}`,
      findings,
    );
  }
  if (dependencies.length === 0)
    return broken("pipAudit", run, "pip-audit saw no dependency at all");
  if (run.exitCode === 1 && found.length === 0)
    return broken("pipAudit", run, "pip-audit exited with 1 and reported nothing");
  const packages = new Set(findings.map((finding) => finding.message.split(" ")[0])).size;
  return judged(
    "pipAudit",
    run,
    findings,
    `${plural(findings.length, "advisory", "advisories")} in ${plural(packages, "package")}`,
  );
}
