import { readFile } from "node:fs/promises";

/** What a command answered on an engine, as `docs/engines-results.json` keeps it. */
interface Row {
  readonly function: string;
  readonly project: string;
  readonly engine: "dagger" | "embedded";
  readonly result: string;
  readonly seconds?: number;
  /** When it was not the date of the whole. */
  readonly date?: string;
}

interface Results {
  readonly date: string;
  readonly daggerVersion: string;
  readonly rows: readonly Row[];
}

/** The table function × engine × result × seconds of docs/engines-results.json, in its order. */
export async function measuredTable(): Promise<string> {
  const file = new URL("../../docs/engines-results.json", import.meta.url);
  const { date, daggerVersion, rows } = JSON.parse(await readFile(file, "utf8")) as Results;
  const lines = new Map<string, Map<Row["engine"], string>>();
  for (const { function: name, project, engine, result, seconds, date: on = date } of rows) {
    const key = `\`${name}\` | ${on.slice(5)} | ${project}`;
    const line = lines.get(key) ?? new Map<Row["engine"], string>();
    line.set(engine, seconds === undefined ? result : `${result} (${seconds} s)`);
    lines.set(key, line);
  }
  return [
    `| function | ${date.slice(0, 4)} | project | Dagger ${daggerVersion} | embedded |`,
    "| --- | --- | --- | --- | --- |",
    ...[...lines].map(
      ([key, line]) =>
        `| ${key} | ${line.get("dagger") ?? "not run"} | ${line.get("embedded") ?? "not run"} |`,
    ),
  ].join("\n");
}
