import { columns, oneLine, plural } from "../text.js";
import { SEVERITIES, type Judged } from "./types.js";
import type { ScanResult } from "./verdict.js";

const MOST_ROWS = 200;
const HEAD = ["severity", "status", "where", "version", "fixed in", "what"] as const;

/** The result for a terminal: what was found, the gravest first, and one line in the end. */
export function scanTable(result: ScanResult): string {
  const shown = result.findings.slice(0, MOST_ROWS).map(row);
  const rest = result.findings.length - shown.length;
  return [
    ...(shown.length > 0 ? [...grid([[...HEAD], ...shown]), ""] : []),
    ...(rest > 0 ? [`and ${rest} more, in the JSON`, ""] : []),
    ...result.notices.map((notice) => `note: ${oneLine(notice)}`),
    `${result.state}: ${conclusion(result)}`,
    "",
  ].join("\n");
}

/** `1 critical, 2 low in 118 packages` */
export function conclusion(result: ScanResult): string {
  if (result.state === "ERRORED") return result.reason ?? "";
  const counted = [...SEVERITIES]
    .reverse()
    .filter((severity) => result.counts[severity] > 0)
    .map((severity) => `${result.counts[severity]} ${severity.toLowerCase()}`);
  const ignored = result.findings.filter(({ status }) => status === "ignored").length;
  const found = counted.length === 0 ? "nothing found" : counted.join(", ");
  const text = `${found} in ${plural(result.packages, "package")}${ignored > 0 ? `, ${ignored} ignored` : ""}`;
  return result.reason === undefined ? text : `${result.reason} (${text})`;
}

function row(each: Judged): string[] {
  return [
    each.severity,
    each.status,
    oneLine(each.subject, 60),
    oneLine(each.version, 30),
    oneLine(each.fixed, 30),
    `${each.id} ${oneLine(each.reason === "" ? each.title : each.reason, 80)}`,
  ];
}

function grid(rows: readonly (readonly string[])[]): string[] {
  const widths = HEAD.map((_, index) => Math.max(...rows.map((one) => columns(one[index] ?? ""))));
  return rows.map((one) =>
    one
      .map((cell, index) => cell + " ".repeat(Math.max(0, (widths[index] ?? 0) - columns(cell))))
      .join("  ")
      .trimEnd(),
  );
}
