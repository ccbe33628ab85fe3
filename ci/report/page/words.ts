import type { CheckState } from "../../../src/core/check.js";
import { h } from "./dom.js";

export const STATE_WORDS: Readonly<Record<CheckState, string>> = {
  PASSED: "Passed",
  FAILED: "Failed",
  SKIPPED: "Skipped",
  ERRORED: "Errored",
};

/** Shapes besides colours: who sees no colours sees these. */
const SHAPES: Readonly<Record<CheckState, string>> = {
  PASSED: "M4.5 10.5l3.6 3.6 7.4-8",
  FAILED: "M5.5 5.5l9 9m0-9l-9 9",
  SKIPPED: "M5 10h10",
  ERRORED: "M10 4.5v6.5m0 3.6v.4",
};

/** A check mark, a cross, a dash or an exclamation mark in the state's colour. */
export function stateIcon(state: CheckState): HTMLElement {
  const box = h("span", { class: `icon ${state.toLowerCase()}`, "aria-hidden": "true" });
  const namespace = "http://www.w3.org/2000/svg";
  const image = document.createElementNS(namespace, "svg");
  image.setAttribute("viewBox", "0 0 20 20");
  const path = document.createElementNS(namespace, "path");
  path.setAttribute("d", SHAPES[state]);
  image.append(path);
  box.append(image);
  return box;
}

/** Mark and word of a state. */
export function stateLabel(state: CheckState): HTMLElement {
  return h("span", { class: `state ${state.toLowerCase()}` }, stateIcon(state), STATE_WORDS[state]);
}

/** `24 Nov 2026, 14:03` in the reader's own time. */
export function moment(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  return new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" }).format(date);
}

/** `3 hours` between two moments, as a person says it. */
export function distance(milliseconds: number): string {
  const units = [
    ["day", 86_400_000],
    ["hour", 3_600_000],
    ["minute", 60_000],
    ["second", 1000],
  ] as const;
  const [unit, length] = units.find(([, each]) => milliseconds >= each) ?? ["second", 1000];
  const count = Math.max(1, Math.round(milliseconds / length));
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

/** Never rounded up to a hundred. */
export function percent(value: number): string {
  return `${(Math.floor(value * 10) / 10).toFixed(1)} %`;
}

export function number(value: number): string {
  return value.toLocaleString("en-US");
}
