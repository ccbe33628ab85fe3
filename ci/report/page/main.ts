/** The page: reads what the module put into it, and draws it. Nothing is loaded from anywhere. */
import type { Report } from "../../../src/core/report/report.js";
import { compare } from "../compare.js";
import { changes } from "./changes.js";
import { h, put } from "./dom.js";
import { findings } from "./findings.js";
import { evidence, packages } from "./image.js";
import { coverage, tests } from "./tests.js";
import { timeline } from "./timeline.js";
import { checkList, footer, verdict } from "./verdict.js";

interface Data {
  readonly report: Report;
  readonly previous?: Report;
}

const { report, previous } = JSON.parse(document.getElementById("data")?.textContent ?? "") as Data;
const comparison = previous && compare(previous, report);

const sections = [
  checkList(report),
  timeline(report),
  comparison && changes(comparison),
  findings(report, comparison),
  tests(report),
  coverage(report),
  packages(report),
  evidence(report),
].filter((each) => each !== undefined);

const contents = sections.map((each) =>
  h("li", {}, h("a", { href: `#${each.id}` }, each.querySelector("h2")?.textContent ?? each.id)),
);

put(document.body, [
  h("a", { class: "skip", href: "#main" }, "Skip to the report"),
  h(
    "nav",
    { class: "bar-top", "aria-label": "Contents" },
    h("span", { class: "brand" }, "slipway"),
    h("ul", {}, contents),
    themeButton(),
  ),
  h("main", { id: "main", tabindex: "-1" }, verdict(report), sections),
  footer(report),
]);

addEventListener("keydown", (event) => {
  const { target } = event;
  const isTyping = target instanceof HTMLInputElement || target instanceof HTMLSelectElement;
  if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  const field = document.querySelector<HTMLInputElement>("#findings input, input[type=search]");
  if (!field) return;
  event.preventDefault();
  field.focus();
});

/** Light or dark; at first what the system prefers. */
function themeButton(): HTMLElement {
  const button = h("button", { type: "button", class: "small theme" });
  const isDark = (): boolean => {
    const chosen = document.documentElement.style.colorScheme;
    return chosen === "" ? matchMedia("(prefers-color-scheme: dark)").matches : chosen === "dark";
  };
  const name = (): void => {
    button.textContent = isDark() ? "Light" : "Dark";
  };
  button.addEventListener("click", () => {
    document.documentElement.style.colorScheme = isDark() ? "light" : "dark";
    name();
  });
  name();
  return button;
}
