import { availableParallelism, cpus, loadavg, release, totalmem } from "node:os";

import { run } from "../sandbox/run.js";
import type { Section } from "./measure.js";

/** What the numbers depend on. */
export async function machine(): Promise<string[]> {
  const [load = 0] = loadavg();
  const version = (program: string): Promise<string> =>
    run(program, ["--version"]).then((text) => text.split("\n")[0] ?? "");
  return [
    `- date: ${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC`,
    `- cores: ${availableParallelism()} (${cpus()[0]?.model.trim() ?? "unknown"})`,
    `- memory: ${(totalmem() / 2 ** 30).toFixed(1)} GiB`,
    `- kernel: Linux ${release()}`,
    `- load before: ${load.toFixed(2)}`,
    `- Node ${process.version}, ${await version("crun")}`,
  ];
}

/** One section as Markdown. */
export function table({ title, how, rows }: Section): string {
  const lines = rows.map(({ what, value, goal = "", met }) => {
    const verdict = met === undefined ? "" : met ? "met" : "**missed**";
    return `| ${what} | ${value} | ${goal} | ${verdict} |`;
  });
  return [
    `## ${title}`,
    "",
    `${how}.`,
    "",
    "| | measured | goal | |",
    "| --- | --- | --- | --- |",
    ...lines,
    "",
  ].join("\n");
}

/** Parts of the document by their names, each with its heading. */
export type Parts = Readonly<Record<string, string>>;

const PART = /^<!-- part: ([a-z]+) -->$/m;

/** The parts of a document that is there already. */
export function partsOf(text: string): Parts {
  const [, ...pieces] = text.split(PART);
  const names = pieces.filter((_, index) => index % 2 === 0);
  return Object.fromEntries(
    names.map((name, index) => [name, (pieces[index * 2 + 1] ?? "").trim()]),
  );
}

/** One part, measured in another run than the rest of its document: it says when and where itself. */
export function apart(section: Section, facts: readonly string[]): string {
  const where = facts.map((fact) => fact.replace(/^- /, "")).join("; ");
  return table({ ...section, how: `${section.how}. Measured by itself: ${where}` });
}

/**
 * The whole document.
 *
 * @param order names of all parts; one that is not among them is left out.
 */
export function document(facts: readonly string[], parts: Parts, order: readonly string[]): string {
  const head = [
    "# Benchmarks",
    "",
    "Written by `make bench`, in one run on one machine, but for what says otherwise; what is compared was measured in",
    "turns. Medians, not best cases. Absolute times are of this machine; the ratios travel better.",
    "",
    ...facts,
  ].join("\n");
  const texts = order.flatMap((name) => {
    const text = parts[name];
    return text === undefined ? [] : [`<!-- part: ${name} -->\n\n${text.trim()}`];
  });
  return `${[head, ...texts].join("\n\n")}\n`;
}

/** What a document says of the machine: the list before its first part. */
export function factsOf(text: string): string[] {
  const [head = ""] = text.split(PART);
  return head.split("\n").filter((line) => line.startsWith("- "));
}
