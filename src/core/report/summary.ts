import type { CheckResult, CheckState, Finding } from "../check.js";
import { columns, duration, oneLine, plural } from "../text.js";
import type { Report } from "./report.js";

export interface SummaryOptions {
  /** Columns of the terminal; at least 40. */
  readonly width?: number;
  readonly color?: boolean;
  /** Findings shown of each check. */
  readonly findings?: number;
}

const MARKS: Readonly<Record<CheckState, string>> = {
  PASSED: "ok",
  FAILED: "FAILED",
  SKIPPED: "skipped",
  ERRORED: "ERRORED",
};
const COLORS: Readonly<Record<CheckState, string>> = {
  PASSED: "32",
  FAILED: "31",
  SKIPPED: "33",
  ERRORED: "35",
};

/** The report for a terminal: a table, the first findings of what did not pass, and one line in the end. */
export function summary(
  report: Report,
  { width = 100, color = false, findings = 10 }: SummaryOptions = {},
): string {
  const paint = (state: CheckState, text: string): string =>
    color ? `\u001b[${COLORS[state]}m${text}\u001b[0m` : text;
  const room = Math.max(40, width);
  const rows = report.checks.map(
    (one) => [one.name, MARKS[one.state], duration(one.durationMs), detail(one)] as const,
  );
  const widths = [0, 1, 2].map((index) =>
    Math.max(...rows.map((row) => columns(row[index] ?? "")), 0),
  );
  const table = rows.map(([name, mark, time, text], index) => {
    const state = report.checks[index]?.state ?? "ERRORED";
    const [first = 0, second = 0, third = 0] = widths;
    const start = `${pad(name, first)}  ${paint(state, pad(mark, second))}  ${" ".repeat(third - columns(time))}${time}`;
    return `${start}  ${shorten(text, room - first - second - third - 6)}`.trimEnd();
  });
  const bad = report.checks.filter((one) => one.state === "FAILED" || one.state === "ERRORED");
  return [
    oneLine(
      `${report.project.name} ${report.project.version} (${report.project.kind}, Python ${report.project.python})`,
    ),
    "",
    ...table,
    ...bad.flatMap((one) => ["", ...explanation(one, room, findings)]),
    ...(report.notices.length === 0
      ? []
      : ["", ...report.notices.map((notice) => `note: ${oneLine(notice)}`)]),
    "",
    `${paint(report.state, report.state)}: ${counts(report)}`,
    "",
  ].join("\n");
}

/** `5 checks passed, 1 failed, 1 skipped` */
export function counts(report: Report): string {
  const of = (state: CheckState): number =>
    report.checks.filter((one) => one.state === state).length;
  const parts = [
    `${plural(of("PASSED"), "check")} passed`,
    ...(["FAILED", "ERRORED", "SKIPPED"] as const)
      .filter((state) => of(state) > 0)
      .map((state) => `${of(state)} ${state.toLowerCase()}`),
  ];
  return parts.join(", ");
}

/** What is worth saying of a check on one line. */
export function detail(one: CheckResult): string {
  const tests = one.tests
    ? `${plural(one.tests.tests, "test")}${one.tests.skipped > 0 ? `, ${one.tests.skipped} skipped` : ""}`
    : "";
  const coverage =
    one.coverage === undefined
      ? ""
      : `coverage ${(Math.floor(one.coverage * 10) / 10).toFixed(1)} %`;
  const reason = one.reason?.split("\n")[0] ?? "";
  return oneLine(
    [reason, reason.includes("tests") ? "" : tests, coverage, one.cached === true ? "kept" : ""]
      .filter((part) => part !== "")
      .join(", "),
  );
}

/** `src/app.py:4:12` */
export function placeOf(finding: Finding): string {
  const parts = [
    finding.file,
    finding.line,
    finding.line === undefined ? undefined : finding.column,
  ];
  return oneLine(parts.filter((part) => part !== undefined).join(":"));
}

function explanation(one: CheckResult, room: number, limit: number): string[] {
  const shown = one.findings.slice(0, limit).map((finding) => {
    const place = placeOf(finding);
    return shorten(
      `  ${place === "" ? "" : `${place} `}${oneLine(finding.ruleId)} ${oneLine(finding.message, 500)}`,
      room,
    );
  });
  const rest = one.findings.length - shown.length;
  const reason = (one.reason ?? "").split("\n").map((text) => shorten(`  ${oneLine(text)}`, room));
  return [
    `${one.name} (${one.tool}${one.version === undefined ? "" : ` ${one.version}`}) ${MARKS[one.state]}`,
    ...(one.findings.length === 0 || one.state === "ERRORED" ? reason : []),
    ...shown,
    ...(rest > 0 ? [`  … and ${rest} more: see report.json`] : []),
  ];
}

function pad(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - columns(text)));
}

/** Text of at most so many columns, an ellipsis where it was cut. */
function shorten(text: string, width: number): string {
  if (columns(text) <= width) return text;
  let result = "";
  let used = 0;
  for (const letter of text) {
    used += columns(letter);
    if (used > width - 1) break;
    result += letter;
  }
  return width < 1 ? "" : `${result}…`;
}
