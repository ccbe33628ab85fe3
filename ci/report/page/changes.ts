import type { CheckState } from "../../../src/core/check.js";
import { placeOf } from "../../../src/core/report/summary.js";
import { duration } from "../../../src/core/text.js";
import { headline, type CheckChange, type Comparison } from "../compare.js";
import { h, section, type Child } from "./dom.js";
import { dataTable } from "./table.js";
import { moment, percent, stateLabel } from "./words.js";

/** What changed since the run before. */
export function changes(comparison: Comparison): HTMLElement {
  const { since, gone, coverageFiles, checks } = comparison;
  return section(
    "changes",
    "Since the run before",
    h("p", { class: "lead" }, `Of ${moment(since)}: ${headline(comparison)}.`),
    checkTable(checks),
    gone.length > 0 && [
      h("h3", {}, "Findings that are gone"),
      dataTable({
        id: "gone",
        noun: "findings that are gone",
        rows: gone,
        text: ({ check, finding }) =>
          [check, ...Object.values<string | number>({ ...finding })].join(" "),
        columns: [
          {
            title: "Where",
            cell: ({ finding }) => h("code", {}, placeOf(finding)),
            class: "where",
          },
          {
            title: "What",
            cell: ({ check, finding }) => [
              h("div", {}, finding.message.split("\n")[0]),
              h("div", { class: "meta" }, `${check} · ${finding.ruleId}`),
            ],
          },
        ],
      }),
    ],
    coverageFiles.length > 0 && [
      h("h3", {}, "Coverage"),
      dataTable({
        id: "coverage-changes",
        noun: "files with another coverage",
        rows: coverageFiles,
        text: ({ file }) => file,
        columns: [
          { title: "File", cell: ({ file }) => h("code", {}, file), class: "where" },
          { title: "Before", cell: ({ before }) => percent(before), class: "number" },
          { title: "Now", cell: ({ after }) => percent(after), class: "number" },
        ],
      }),
    ],
  );
}

function checkTable(checks: readonly CheckChange[]): HTMLElement {
  const state = (value: CheckState | undefined): Child =>
    value === undefined ? h("span", { class: "meta" }, "did not exist") : stateLabel(value);
  return dataTable<CheckChange>({
    id: "check-changes",
    noun: "checks",
    rows: checks,
    text: ({ name }) => name,
    columns: [
      { title: "Check", cell: ({ name }) => h("strong", {}, name), class: "where" },
      { title: "Before", cell: (check) => state(check.state.before) },
      { title: "Now", cell: (check) => state(check.state.after) },
      { title: "Time", cell: time, class: "number" },
    ],
  });
}

function time({ durationMs: { before, after } }: CheckChange): Child {
  if (before === undefined || after === undefined) return "";
  return before === after ? duration(after) : `${duration(before)} → ${duration(after)}`;
}
