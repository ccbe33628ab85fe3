import { escape } from "../../report/markdown.js";
import { columns, oneLine, plural } from "../../text.js";

/** One line of what was looked at before a deployment. */
export interface Finding {
  /** What was looked at: `kubeconfig`, `rights`, `image`. */
  readonly check: string;
  readonly ok: boolean;
  /** What was found, or what is wrong. */
  readonly found: string;
  /** What to do about it. */
  readonly next?: string;
  /** It stops nothing, but is not good. */
  readonly warning?: true;
}

/** How a request or a call of kubectl ended; undefined when it was not made. */
export type Said =
  { readonly exitCode: number; readonly stdout: string; readonly stderr: string } | undefined;

/** All is well. */
export function passed(check: string, found: string): Finding {
  return { check, ok: true, found: oneLine(found) };
}

/** It would fail. */
export function failed(check: string, found: string, next?: string): Finding {
  return { check, ok: false, found: oneLine(found, 500), ...(next !== undefined && { next }) };
}

/** It works, but is not good. */
export function warned(check: string, found: string, next?: string): Finding {
  return {
    ...{ check, ok: true, warning: true, found: oneLine(found, 500) },
    ...(next !== undefined && { next }),
  };
}

/** Whether all is well; nothing looked at is not. */
export function allOk(findings: readonly Finding[]): boolean {
  return findings.length > 0 && findings.every(({ ok }) => ok);
}

/** The findings for a terminal: one a line, what to do below it, and one line in the end. */
export function findingsTable(findings: readonly Finding[]): string {
  const width = Math.max(0, ...findings.map(({ check }) => columns(check)));
  const indent = " ".repeat(width + 10);
  const rows = findings.flatMap((finding) => {
    const { check, found, next } = finding;
    const line = `${check}${" ".repeat(width - columns(check))}  ${mark(finding)}  ${found}`;
    return next === undefined ? [line] : [line, `${indent}→ ${next}`];
  });
  return [...rows, "", verdict(findings), ""].join("\n");
}

/** The same for GitHub's step summary. */
export function findingsMarkdown(title: string, findings: readonly Finding[]): string {
  const sign = ({ ok, warning }: Finding): string => (!ok ? "❌" : warning ? "⚠️" : "✅");
  return [
    `## ${allOk(findings) ? "✅" : "❌"} ${escape(title)}`,
    "",
    "| check | | found | what to do |",
    "| --- | --- | --- | --- |",
    ...findings.map(
      (finding) =>
        `| ${escape(finding.check)} | ${sign(finding)} | ${escape(finding.found)} | ${escape(finding.next ?? "")} |`,
    ),
    "",
  ].join("\n");
}

function mark({ ok, warning }: Finding): string {
  return !ok ? "FAILED" : warning ? "warn  " : "ok    ";
}

function verdict(findings: readonly Finding[]): string {
  const bad = findings.filter(({ ok }) => !ok).map(({ check }) => check);
  if (allOk(findings)) {
    const count = findings.filter(({ warning }) => warning).length;
    return `VALID${count > 0 ? `, with ${plural(count, "warning")}` : ""}. Nothing was changed.`;
  }
  return `NOT VALID: ${[...new Set(bad)].join(", ") || "nothing was looked at"}. Nothing was changed.`;
}
