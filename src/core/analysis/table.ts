import { columns } from "../text.js";
import type { Analysis } from "./types.js";

/** An analysis for a terminal: a measure a line, what was not looked at, and one line in the end. */
export function analysisTable({ measures, notices, outcome, requests }: Analysis): string {
  const width = Math.max(0, ...measures.map(({ metric }) => columns(metric)));
  const rows = measures.map(
    ({ metric, outcome: one, why }) =>
      `${metric}${" ".repeat(width - columns(metric))}  ${one.padEnd(12)}  ${why}`,
  );
  const made = `${requests.canary} requests to the canary, ${requests.stable} to stable, ${requests.failed} of the canary's failed`;
  return [
    ...rows,
    ...notices.map((notice) => `note: ${notice}`),
    "",
    `${outcome.toUpperCase()}: ${made}`,
    "",
  ].join("\n");
}
