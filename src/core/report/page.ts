import { clean } from "../text.js";
import type { Report } from "./report.js";
import { summary } from "./summary.js";

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/**
 * report.html: the page that shows a report, with all it needs inside.
 *
 * @param template the text of page.html, which lies beside this file.
 * @param previous the report of an earlier run, to say what changed since.
 */
export function reportPage(template: string, report: Report, previous?: Report): string {
  const { project } = report;
  const parts: Readonly<Record<string, string>> = {
    title: escape(`${project.name} ${project.version}: ${report.state}`),
    summary: escape(summary(report, { findings: 50 })),
    data: data({ report, ...(previous === undefined ? {} : { previous }) }),
  };
  // In one pass: what a report says is never taken for a place in the page.
  return template.replace(
    /<!--slipway:([a-z]+)-->/g,
    (place, name: string) => parts[name] ?? place,
  );
}

/** JSON that is safe in a script element: no text in it can end that element or open a comment. */
function data(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll("<", "\\u003c")
    .replaceAll("\u2028", "\\u2028")
    .replaceAll("\u2029", "\\u2029");
}

function escape(text: string): string {
  return clean(text).replace(/[&<>"']/g, (letter) => ENTITIES[letter] ?? letter);
}
