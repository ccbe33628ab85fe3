import type { Report } from "../../../src/core/report/report.js";
import { h, section, type Child } from "./dom.js";
import { dataTable } from "./table.js";
import { number, percent } from "./words.js";

type Check = Report["checks"][number];
type FileCoverage = NonNullable<Check["coverageFiles"]>[number];

/** The slowest tests, and what their times add up to. */
export function tests({ checks }: Report): HTMLElement | undefined {
  const check = checks.find(({ slowest = [] }) => slowest.length > 0);
  if (!check) return undefined;
  const slowest = check.slowest ?? [];
  const most = Math.max(...slowest.map(({ seconds }) => seconds));
  const rows = slowest.map(({ name, seconds }) =>
    h(
      "li",
      {},
      h("span", { class: "test" }, testName(name)),
      h(
        "span",
        { class: "track", "aria-hidden": "true" },
        h("span", { class: "bar neutral", "--size": seconds / most }),
      ),
      h("span", { class: "time" }, `${seconds.toFixed(2)} s`),
    ),
  );
  return section("tests", "Slowest tests", lead(check), h("ol", { class: "bars" }, rows));
}

function lead({ tests: totals }: Check): Child {
  if (!totals) return undefined;
  const { failed, errors, skipped } = totals;
  const parts = [
    `${number(totals.tests)} tests`,
    failed > 0 ? `${failed} failed` : "",
    errors > 0 ? `${errors} with errors` : "",
    skipped > 0 ? `${skipped} skipped` : "",
    `${totals.seconds.toFixed(1)} s together`,
  ];
  return h("p", { class: "lead" }, parts.filter((part) => part !== "").join(", "), ".");
}

/** `tests.test_app.TestLogin::test_ok[x]`: the last part is what a person looks for. */
function testName(name: string): Child {
  const at = name.indexOf("::");
  if (at < 0) return name;
  return [h("span", { class: "module" }, name.slice(0, at + 2), h("wbr")), name.slice(at + 2)];
}

/** Coverage of each file, the least covered first. */
export function coverage({ checks }: Report): HTMLElement | undefined {
  const check = checks.find(({ coverageFiles = [] }) => coverageFiles.length > 0);
  const files = check?.coverageFiles;
  if (!files) return undefined;
  const total =
    check.coverage === undefined ? "" : `${percent(check.coverage)} of all is covered. `;
  const full = files.filter(({ percent: value }) => value === 100).length;
  const table = dataTable<FileCoverage>({
    id: "coverage",
    noun: "files",
    rows: files,
    text: ({ file }) => file,
    columns: [
      {
        title: "File",
        cell: ({ file }) => h("code", {}, file),
        by: ({ file }) => file,
        class: "where",
      },
      { title: "Covered", cell: meter, by: ({ percent: value }) => value, class: "meter" },
      { title: "Missed", cell: missed, by: (file) => file.missed, class: "number" },
    ],
  });
  return section(
    "coverage",
    "Coverage",
    h(
      "p",
      { class: "lead" },
      total,
      `${number(full)} of ${number(files.length)} files are covered in full.`,
    ),
    table,
  );
}

function missed(file: FileCoverage): Child {
  return [number(file.missed), h("span", { class: "meta" }, ` of ${number(file.statements)}`)];
}

function meter({ percent: value }: FileCoverage): Child {
  const grade = value >= 90 ? "good" : value >= 70 ? "fair" : "poor";
  const bar = h("span", { class: `bar ${grade}`, "--size": value / 100 });
  const track = h("span", { class: "track", "aria-hidden": "true" }, bar);
  return h("div", {}, track, h("span", { class: "time" }, percent(value)));
}
