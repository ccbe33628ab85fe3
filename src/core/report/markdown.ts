import type { CheckResult, CheckState, Finding } from "../check.js";
import { cutBytes, duration, oneLine } from "../text.js";
import type { Report } from "./report.js";
import { counts, detail, placeOf } from "./summary.js";

/** GitHub refuses a longer step summary. */
const MOST_BYTES = 1024 * 1024;
const MOST_FINDINGS = 200;
const MARKS: Readonly<Record<CheckState, string>> = {
  PASSED: "✅",
  FAILED: "❌",
  SKIPPED: "⚪",
  ERRORED: "💥",
};

/** The report as GitHub Markdown, at most `bytes` long (1,024 KiB), cut with a notice. */
export function markdown(report: Report, bytes = MOST_BYTES): string {
  const { project } = report;
  const text = [
    `## ${MARKS[report.state]} ${escape(project.name)} ${escape(project.version)}: ${counts(report)}`,
    "",
    table(["", "check", "tool", "time", "result"], report.checks.map(row)),
    "",
    ...report.notices.map((notice) => `> ${escape(notice)}\n`),
    ...report.checks
      .filter((one) => one.state === "FAILED" || one.state === "ERRORED")
      .map(section),
    ...report.checks.filter((one) => (one.slowest?.length ?? 0) > 0).map(slowest),
    `<sub>${escape(project.kind)}, Python ${escape(project.python)}</sub>`,
    "",
  ].join("\n");
  return cutBytes(text, bytes, "\n\n**The rest was cut: see report.json.**\n");
}

/** Text that Markdown and HTML show as it is, on one line; fit for a table's cell. */
export function escape(text: string, length = 500): string {
  return oneLine(text, length).replace(
    /[&<>"'`|*_~#@!\\[\](){}$:]/g,
    (letter) => `&#${letter.charCodeAt(0)};`,
  );
}

function row(one: CheckResult): string[] {
  const tool = `${escape(one.tool)}${one.version === undefined ? "" : ` ${escape(one.version)}`}`;
  return [
    MARKS[one.state],
    escape(one.name),
    tool,
    one.state === "SKIPPED" ? "" : duration(one.durationMs),
    escape(detail(one) || one.state.toLowerCase()),
  ];
}

function section(one: CheckResult): string {
  const shown = one.findings.slice(0, MOST_FINDINGS);
  const rest = one.findings.length - shown.length;
  return [
    `<details open><summary><b>${escape(one.name)}</b>: ${escape(detail(one))}</summary>`,
    "",
    ...(one.state === "ERRORED" || shown.length === 0
      ? [...(one.reason ?? "").split("\n").map((line) => `${escape(line)}<br>`), ""]
      : []),
    ...(shown.length === 0 ? [] : [table(["where", "rule", "what"], shown.map(cells)), ""]),
    ...(rest > 0 ? [`${rest} more are in report.json.`, ""] : []),
    "</details>",
    "",
  ].join("\n");
}

function slowest(one: CheckResult): string {
  const rows = (one.slowest ?? []).map(({ name, seconds }) => [
    `${seconds.toFixed(2)} s`,
    escape(name),
  ]);
  return [
    "<details><summary>Slowest tests</summary>",
    "",
    table(["time", "test"], rows),
    "",
    "</details>",
    "",
  ].join("\n");
}

function cells(finding: Finding): string[] {
  const { helpUri } = finding;
  const id = escape(finding.ruleId);
  const linked =
    helpUri !== undefined && /^https:\/\/[\w.~/?=&%#+-]+$/.test(helpUri)
      ? `[${id}](${helpUri})`
      : id;
  return [escape(placeOf(finding)), linked, escape(finding.message)];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (parts: readonly string[]): string => `| ${parts.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
