import { placeOf } from "../../../src/core/report/summary.js";
import type { Report } from "../../../src/core/report/report.js";
import type { Comparison } from "../compare.js";
import { h, link, section, type Child } from "./dom.js";
import { dataTable } from "./table.js";

/** From the gravest to the least; scanners and linters have words of their own. */
const SEVERITIES = ["critical", "error", "high", "medium", "warning", "low", "note", "unknown"];
/** Longer messages are folded. */
const LONG = 240;

interface Row {
  readonly severity: string;
  readonly check: string;
  readonly rule: string;
  readonly ruleName: string;
  readonly place: string;
  readonly message: string;
  readonly fix: string;
  readonly help: string | undefined;
  readonly status: string;
}

/** All that was found, by whichever tool. */
export function findings(report: Report, comparison: Comparison | undefined): HTMLElement {
  const fresh = new Set(comparison?.appeared.map(({ finding }) => finding));
  const rows = [
    ...report.checks.flatMap((check) =>
      check.findings.map((finding): Row => ({
        severity: finding.level,
        check: check.name,
        rule: finding.ruleId,
        ruleName: finding.ruleName ?? "",
        place: placeOf(finding),
        message: finding.message,
        fix: finding.fix ?? "",
        help: finding.helpUri,
        status: comparison === undefined ? "" : fresh.has(finding) ? "new" : "known",
      })),
    ),
    ...scanned(report),
  ];
  const sorted = rows.sort((a, b) => gravity(a) - gravity(b));
  if (sorted.length === 0) {
    return section("findings", "Findings", h("p", { class: "calm" }, "No tool found anything."));
  }
  const table = dataTable<Row>({
    id: "findings",
    noun: "findings",
    rows: sorted,
    text: (row) => Object.values(row).join(" "),
    facets: [
      { title: "severity", of: ({ severity }) => severity, order: SEVERITIES },
      { title: "check", of: ({ check }) => check },
      { title: "status", of: ({ status }) => status },
    ],
    columns: [
      { title: "Severity", cell: severity, by: gravity, class: "narrow" },
      {
        title: "Where",
        cell: ({ place }) => h("code", {}, breakable(place)),
        by: ({ place }) => place,
        class: "where",
      },
      { title: "What", cell: what, by: ({ rule }) => rule, class: "what" },
      { title: "Fix", cell: ({ fix }) => fix, by: ({ fix }) => fix, class: "fix" },
    ],
  });
  return section("findings", "Findings", table);
}

function scanned({ scan }: Report): Row[] {
  return (scan?.findings ?? []).map((found) => ({
    severity: found.severity.toLowerCase(),
    check: "scan",
    rule: found.id,
    ruleName: found.kind === "vulnerability" ? "" : found.kind,
    place: [found.subject, found.version].filter((part) => part !== "").join(" "),
    message: [found.title, found.reason && `(ignored: ${found.reason})`].filter(Boolean).join(" "),
    fix: found.fixed === "" ? "" : `${found.subject} ${found.fixed}`,
    help: found.url,
    status: found.status,
  }));
}

function severity({ severity: word, status }: Row): Child {
  const mark = ["new", "blocks", "ignored"].includes(status) ? status : undefined;
  return [
    h("span", { class: `severity ${word}` }, word),
    mark !== undefined && h("span", { class: `mark ${mark}` }, mark),
  ];
}

function what({ message, rule, ruleName, check, help }: Row): Child {
  const [first = "", ...rest] = message.split("\n");
  const isLong = rest.length > 0 || message.length > LONG;
  const text = isLong
    ? h("details", {}, h("summary", {}, first.slice(0, LONG)), h("pre", {}, message))
    : h("div", {}, message);
  const name = ruleName === "" ? "" : ` ${ruleName}`;
  return [text, h("div", { class: "meta" }, `${check} · `, link(help, rule), name)];
}

function gravity({ severity: word }: Row): number {
  return SEVERITIES.indexOf(word);
}

/** A path that may be broken after a slash. */
function breakable(path: string): Child[] {
  return path.split(/(?<=\/)/).flatMap((part) => [part, h("wbr")]);
}
