import { createHash } from "node:crypto";
import { posix } from "node:path";
import { gzipSync } from "node:zlib";
import type { CheckName, CheckResult, Finding, FindingLevel } from "./check.js";
import { clean, oneLine } from "./text.js";

/** GitHub's limits for one upload. */
const MOST_RESULTS = 25_000;
const MOST_BYTES_GZIPPED = 10 * 1024 * 1024;

export interface SarifOptions {
  /** Lines of source files by path, so that fingerprints survive moved lines. */
  readonly sources?: ReadonlyMap<string, readonly string[]>;
  /** File that stands for the project where a finding has none: GitHub asks for a place. */
  readonly fallbackFile?: string;
  /** The project's folder in its repository: GitHub knows files by their path from there. */
  readonly folder?: string;
  /** Most results; smaller numbers are for tests. */
  readonly mostResults?: number;
}

export interface Sarif {
  /** A SARIF 2.1.0 log with one run. */
  readonly text: string;
  /** Said when results were left out. */
  readonly notice?: string;
}

/** What a SARIF log is made of: a check's result, or a scan's. */
export type Reportable = Pick<CheckResult, "tool" | "version" | "state" | "findings"> & {
  readonly name: CheckName | "scan";
};

const INFORMATION: Readonly<Record<Reportable["name"], string>> = {
  lint: "https://docs.astral.sh/ruff/",
  format: "https://docs.astral.sh/ruff/formatter/",
  types: "https://mypy.readthedocs.io/",
  test: "https://docs.pytest.org/",
  bandit: "https://bandit.readthedocs.io/",
  pipAudit: "https://github.com/pypa/pip-audit",
  safety: "https://docs.safetycli.com/",
  scan: "https://trivy.dev/",
};
const SECURITY: readonly Reportable["name"][] = ["bandit", "pipAudit", "safety", "scan"];
const SEVERITY: Readonly<Record<FindingLevel, string>> = {
  error: "8.0",
  warning: "5.0",
  note: "2.0",
};
const LEVELS: readonly FindingLevel[] = ["error", "warning", "note"];

/**
 * A check's findings for GitHub code scanning: one tool, one run, within GitHub's limits.
 *
 * @returns undefined for SKIPPED and ERRORED checks, and for one that was stopped for time: GitHub closes
 * the alerts that an upload does not repeat, and these say nothing about them.
 */
export function toSarif(result: Reportable, options: SarifOptions = {}): Sarif | undefined {
  if (result.state === "SKIPPED" || result.state === "ERRORED") return undefined;
  // Tests fail without a finding when coverage is too low; all else, when it was stopped.
  if (result.state === "FAILED" && result.findings.length === 0 && result.name !== "test")
    return undefined;
  // A stable sort: the gravest stay when some must go, otherwise the tool's own order.
  const sorted = [...result.findings].sort(
    (a, b) => LEVELS.indexOf(a.level) - LEVELS.indexOf(b.level),
  );
  const fingerprints = fingerprint(sorted, options.sources);
  let kept = Math.min(sorted.length, options.mostResults ?? MOST_RESULTS);
  for (;;) {
    const text = JSON.stringify(log(result, sorted.slice(0, kept), fingerprints, options));
    if (
      kept === 0 ||
      text.length <= MOST_BYTES_GZIPPED ||
      gzipSync(text).length <= MOST_BYTES_GZIPPED
    )
      return kept === sorted.length
        ? { text }
        : {
            text,
            notice: `${result.tool}: the SARIF file holds the ${kept} gravest of ${sorted.length} findings, because GitHub takes no more`,
          };
    kept = Math.floor(kept / 2);
  }
}

function log(
  result: Reportable,
  findings: readonly Finding[],
  fingerprints: ReadonlyMap<Finding, string>,
  options: SarifOptions,
): unknown {
  const ruleIds = [...new Set(findings.map((finding) => finding.ruleId))];
  const indexes = new Map(ruleIds.map((id, index) => [id, index]));
  const firstOf = new Map([...findings].reverse().map((finding) => [finding.ruleId, finding]));
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: result.tool,
            ...(result.version === undefined ? {} : { version: result.version }),
            informationUri: INFORMATION[result.name],
            rules: ruleIds.map((id) => rule(result, firstOf.get(id), id)),
          },
        },
        // GitHub's category: what one service uploads closes no alert of another.
        automationDetails: {
          id: posix.join("slipway", result.tool, relative(options.folder), "/"),
        },
        invocations: [{ executionSuccessful: true }],
        columnKind: "unicodeCodePoints",
        results: findings.map((finding) => ({
          ruleId: finding.ruleId,
          ruleIndex: indexes.get(finding.ruleId),
          level: finding.level,
          message: { text: clean(finding.message).slice(0, 2000) || finding.ruleId },
          locations: [{ physicalLocation: location(finding, options) }],
          partialFingerprints: { primaryLocationLineHash: fingerprints.get(finding) },
        })),
      },
    ],
  };
}

function rule(result: Reportable, example: Finding | undefined, id: string): unknown {
  const name = example?.ruleName;
  const short = name === undefined ? `${result.tool} ${id}` : `${id}: ${name}`;
  const help = example?.helpUri;
  const level = example?.level ?? "error";
  return {
    id,
    ...(name === undefined ? {} : { name }),
    shortDescription: { text: short },
    fullDescription: { text: `${short}. First seen as: ${oneLine(example?.message ?? id)}` },
    help: { text: help === undefined ? `Reported by ${result.tool}.` : `Explained at ${help}` },
    ...(help === undefined ? {} : { helpUri: help }),
    defaultConfiguration: { level },
    properties: SECURITY.includes(result.name)
      ? { tags: ["security"], "security-severity": SEVERITY[level] }
      : { tags: [result.name] },
  };
}

function location(
  finding: Finding,
  { fallbackFile = "pyproject.toml", folder }: SarifOptions,
): unknown {
  const { column, endLine, endColumn } = finding;
  const line = Math.max(1, finding.line ?? 1);
  const end =
    endLine !== undefined &&
    (endLine > line || (endLine === line && (endColumn ?? 0) > (column ?? 1)));
  return {
    artifactLocation: artifact(finding.file ?? fallbackFile, folder),
    region: {
      startLine: line,
      ...(column === undefined ? {} : { startColumn: Math.max(1, column) }),
      ...(end
        ? { endLine, ...(endColumn === undefined || endColumn < 1 ? {} : { endColumn }) }
        : {}),
    },
  };
}

/** A file relative to the repository's root, which is what %SRCROOT% is to GitHub. */
function artifact(file: string, folder: string | undefined): unknown {
  const isAbsolute = file.startsWith("/");
  const path = isAbsolute ? file : posix.join(relative(folder), file);
  const uri = clean(path).split("/").map(encodeURIComponent).join("/");
  return isAbsolute ? { uri: `file://${uri}` } : { uri, uriBaseId: "%SRCROOT%" };
}

/** A folder without the `/` that callers may put before it. */
function relative(folder = ""): string {
  return clean(folder).replace(/^\/+/, "");
}

/**
 * A fingerprint for each finding that stays when lines move: of the rule and the line's text where
 * the source is known, else of rule, file and message; equal ones in a file are counted through.
 */
function fingerprint(
  findings: readonly Finding[],
  sources: SarifOptions["sources"],
): Map<Finding, string> {
  const seen = new Map<string, number>();
  const marks = new Map<Finding, string>();
  // In the order of the file, so that the count does not depend on how findings were sorted.
  for (const finding of [...findings].sort(
    (a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
  )) {
    const line =
      finding.line === undefined ? undefined : sources?.get(finding.file ?? "")?.[finding.line - 1];
    const subject =
      line === undefined
        ? [finding.file ?? "", finding.message]
        : [line.replace(/\s+/g, " ").trim()];
    const hash = createHash("sha256")
      .update([finding.ruleId, ...subject].join("\0"))
      .digest("hex")
      .slice(0, 32);
    const key = `${finding.file ?? ""}\0${hash}`;
    const count = (seen.get(key) ?? 0) + 1;
    seen.set(key, count);
    marks.set(finding, `${hash}:${count}`);
  }
  return marks;
}
