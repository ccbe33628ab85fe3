import { counts, detail } from "../../../src/core/report/summary.js";
import type { Report } from "../../../src/core/report/report.js";
import { duration, plural } from "../../../src/core/text.js";
import { spansOf, wallClock } from "../timeline.js";
import { h, section, type Child } from "./dom.js";
import { moment, number, percent, stateIcon, stateLabel } from "./words.js";

/** The verdict at a glance. */
export function verdict(report: Report): HTMLElement {
  const { project, state } = report;
  const words = {
    PASSED: "All is well",
    FAILED: "Not yet",
    ERRORED: "Nobody knows",
    SKIPPED: "Nothing ran",
  };
  return h(
    "header",
    { class: `verdict ${state.toLowerCase()}` },
    h(
      "div",
      { class: "title" },
      stateIcon(state),
      h(
        "div",
        {},
        h("h1", {}, `${project.name} `, h("small", {}, project.version)),
        h("p", {}, h("strong", {}, `${words[state]}: `), counts(report), "."),
      ),
    ),
    h("dl", { class: "tiles" }, tiles(report)),
  );
}

function tiles(report: Report): Child[] {
  const { checks, evidence } = report;
  const found = checks.reduce((sum, { findings }) => sum + findings.length, 0);
  const open = (report.scan?.findings ?? []).filter(({ status }) => status !== "ignored").length;
  const test = checks.find(({ tests }) => tests !== undefined);
  const wall = wallClock(spansOf(report));
  return [
    tile("findings", number(found + open)),
    test?.tests && tile("tests", number(test.tests.tests), notPassed(test.tests)),
    test?.coverage !== undefined && tile("coverage", percent(test.coverage)),
    tile(wall > 0 ? "wall clock" : "kept", duration(wall > 0 ? wall : report.durationMs)),
    report.sbom && tile("packages", number(report.sbom.packages.length)),
    evidence && tile("attestations", number(evidence.predicates.length)),
  ];
}

function notPassed({
  failed,
  errors,
  skipped,
}: {
  failed: number;
  errors: number;
  skipped: number;
}) {
  const bad = failed + errors;
  return bad > 0 ? `${number(bad)} failed` : skipped > 0 ? `${number(skipped)} skipped` : "";
}

function tile(title: string, value: string, more = ""): HTMLElement {
  return h(
    "div",
    {},
    h("dt", {}, title),
    h("dd", {}, value, more !== "" && h("small", {}, ` ${more}`)),
  );
}

/** One line for each check, with the reason where it did not pass. */
export function checkList({ checks, notices }: Report): HTMLElement {
  const rows = checks.map((check) => {
    const { name, tool, version = "", state, reason = "", cached, durationMs, findings } = check;
    const more = reason.split("\n").slice(1).join("\n");
    return h(
      "li",
      { class: state.toLowerCase() },
      stateLabel(state),
      h(
        "span",
        { class: "name" },
        h("strong", {}, name),
        " ",
        h("span", { class: "meta" }, `${tool} ${version}`),
      ),
      h(
        "span",
        { class: "reason" },
        // That it was kept stands beside its time.
        detail({ ...check, cached: false }) ||
          (findings.length === 0 ? "nothing found" : plural(findings.length, "finding")),
        more !== "" && h("details", {}, h("summary", {}, "What it said"), h("pre", {}, more)),
      ),
      h(
        "span",
        { class: "time" },
        cached === true && h("span", { class: "mark" }, "kept"),
        " ",
        state === "SKIPPED" ? "" : duration(durationMs),
      ),
    );
  });
  return section(
    "checks",
    "Checks",
    h("ul", { class: "checks" }, rows),
    notices.length > 0 &&
      h(
        "ul",
        { class: "notices" },
        notices.map((notice) => h("li", {}, notice)),
      ),
  );
}

/** Who made the page, of what, when; and the data to take along. */
export function footer(report: Report): HTMLElement {
  const { project, createdAt, schemaVersion } = report;
  const text = JSON.stringify(report, null, 2);
  const save = h("button", { type: "button", class: "small" }, "Save report.json");
  save.addEventListener("click", () => {
    const address = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    h("a", { href: address, download: "report.json" }).click();
    setTimeout(() => {
      URL.revokeObjectURL(address);
    }, 1000);
  });
  return h(
    "footer",
    {},
    h(
      "p",
      {},
      `Made by Slipway on ${moment(createdAt)} · ${project.kind}, Python ${project.python} · report ${schemaVersion}`,
    ),
    save,
  );
}
