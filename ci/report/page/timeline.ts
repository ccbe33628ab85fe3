import { duration } from "../../../src/core/text.js";
import type { Report } from "../../../src/core/report/report.js";
import {
  axisOf,
  criticalPath,
  spansOf,
  tickStep,
  wallClock,
  type Axis,
  type Span,
} from "../timeline.js";
import { h, section } from "./dom.js";
import { distance, moment, stateIcon, STATE_WORDS } from "./words.js";

/** What ran when: one bar for each check and step. */
export function timeline(report: Report): HTMLElement | undefined {
  const spans = spansOf(report);
  if (spans.length === 0) return undefined;
  const axis = axisOf(spans);
  const path = criticalPath(spans);
  const began = Math.min(...spans.filter(({ cached }) => !cached).map(({ start }) => start));
  const created = Date.parse(report.createdAt);
  const rows = spans.map((span) => row(span, axis, { path, began, created }));
  const kept = spans.filter(({ cached }) => cached).length;
  const wall = wallClock(spans);
  const said = [
    wall > 0 && `${duration(wall)} from the first start to the last end.`,
    path.length > 0 && ` The end waited for ${path.join(" → ")}.`,
    kept > 0 && ` ${kept} of ${spans.length} ran for an earlier call and were kept.`,
  ];
  return section(
    "timeline",
    "Timeline",
    h("p", { class: "lead" }, said),
    h("div", { class: "timeline" }, scale(axis), h("ol", {}, rows)),
    h(
      "p",
      { class: "legend", "aria-hidden": "true" },
      path.length > 0 && [h("i", { class: "bar passed critical" }), "on the critical path"],
      h("i", { class: "bar passed" }),
      "beside it",
      kept > 0 && [h("i", { class: "bar passed cached" }), "kept from an earlier call"],
    ),
  );
}

interface Setting {
  readonly path: readonly string[];
  readonly began: number;
  readonly created: number;
}

function row(span: Span, axis: Axis, { path, began, created }: Setting): HTMLElement {
  const { name, state, start, end, cached } = span;
  const from = axis.at(start);
  const critical = path.includes(name);
  const when = cached
    ? `kept, ran ${distance(created - start)} earlier`
    : `${STATE_WORDS[state].toLowerCase()}, started after ${duration(start - began)}${critical ? ", on the critical path" : ""}`;
  const bar = h("span", {
    class: `bar ${state.toLowerCase()}${cached ? " cached" : ""}${critical ? " critical" : ""}`,
    "--from": from,
    "--size": Math.max(0, axis.at(end) - from),
  });
  return h(
    "li",
    { title: `${moment(new Date(start).toISOString())}: ${when}` },
    h("span", { class: "name" }, stateIcon(state), name),
    h("span", { class: "track", "aria-hidden": "true" }, bar),
    h("span", { class: "time" }, duration(end - start)),
    h("span", { class: "hidden" }, when),
  );
}

/** Marks at round times, from the beginning of each stretch. */
function scale({ stretches }: Axis): HTMLElement {
  const marks = stretches.flatMap(({ start, end, from, to }, index) => {
    const step = tickStep(end - start, (to - from) * 6);
    const count = Math.floor((end - start) / step);
    const ticks = Array.from({ length: count + 1 }, (_, at) => {
      const share = end === start ? 0 : (at * step) / (end - start);
      const label = at === 0 && index > 0 ? "" : at === 0 ? "0" : duration(at * step);
      return h("span", { class: "tick", "--from": from + share * (to - from) }, label);
    });
    const next = stretches[index + 1];
    if (!next) return ticks;
    const idle = h("span", { class: "gap", "--from": to, "--size": next.from - to }, "⋯");
    idle.title = `${distance(next.start - end)} in which nothing ran`;
    return [...ticks, idle];
  });
  return h("div", { class: "scale", "aria-hidden": "true" }, marks);
}
