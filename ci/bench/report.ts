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

export function document(facts: readonly string[], sections: readonly Section[]): string {
  const head = [
    "# Benchmarks",
    "",
    "Written by `make bench`, in one run on one machine; what is compared was measured in turns.",
    "Medians, not best cases. Absolute times are of this machine; the ratios travel better.",
    "",
    ...facts,
    "",
  ];
  return `${[...head, ...sections.map(table)].join("\n").trimEnd()}\n`;
}
