import type { Directory } from "@dagger.io/dagger";

import { databaseProblem, readDatabase, type Database } from "../core/scan/database.js";
import { lastLines } from "../core/text.js";
import type { Context } from "./context.js";
import { OUT, runTool, type Execution } from "./execution.js";
import { within, withProgram, withRegistry } from "./programs.js";

const HOUR = 3_600_000;

/** Hours after which the database is asked for again; the public one is made anew every six. */
const FRESH = 6;

/** A vulnerability database that may be believed. */
export interface UsableDatabase {
  readonly folder: Directory;
  readonly about: Database;
}

/**
 * The vulnerability database: the caller's folder, else downloaded, at most every six hours.
 *
 * @returns what is wrong when there is none, or it is too old.
 */
export async function database(context: Context, now: Date): Promise<UsableDatabase | string> {
  const found = context.database
    ? await given(context.database)
    : await downloaded(context, now).catch((error: unknown) => failure(error));
  if (typeof found === "string") return found;
  const text = await found
    .file("metadata.json")
    .contents()
    .catch(() => "");
  const about = readDatabase(text);
  const problem = databaseProblem(about, context.config.scan.age, now);
  if (problem !== undefined || !about) return problem ?? "the vulnerability database is broken";
  const { length } = await found.glob("trivy.db");
  return length === 1 ? { folder: found, about } : "the vulnerability database has no trivy.db";
}

/** The folder with `trivy.db`, which may also be given as trivy's cache, one level above. */
async function given(folder: Directory): Promise<Directory> {
  const { length } = await folder.glob("db/metadata.json");
  return length > 0 ? folder.directory("db") : folder;
}

/** From the first source that has one: trivy itself goes on to the next only when one is busy. */
async function downloaded(context: Context, now: Date): Promise<Directory | string> {
  const { database: sources } = context.config.scan;
  const said: string[] = [];
  // Without a source of the project's own, trivy has two.
  for (const source of sources.length > 0 ? sources : [undefined]) {
    const { run, files } = await download(context, source, now);
    if (run.exitCode === 0) return files.directory("cache/db");
    said.push(lastLines(run.stderr, 2));
  }
  return `no source of the vulnerability database could be read:\n${said.join("\n")}`;
}

async function download(
  context: Context,
  source: string | undefined,
  now: Date,
): Promise<Execution> {
  const container = await withRegistry(withProgram(context, "trivy"), context);
  const from = source === undefined ? [] : [`--db-repository=${within(context, source)}`];
  return await runTool(
    { ...context, attempt: context.attempt ?? period(now) },
    container,
    [
      ...["trivy", "image", "--download-db-only", "--no-progress"],
      ...[`--cache-dir=${OUT}/cache`, ...from],
    ],
    { timeout: context.config.timeouts.check, version: "" },
  );
}

/** Changes every `FRESH` hours, and with it the identity of a download. */
function period(now: Date): string {
  return new Date(Math.floor(now.getTime() / (FRESH * HOUR)) * FRESH * HOUR).toISOString();
}

function failure(error: unknown): string {
  return `the vulnerability database could not be downloaded: ${error instanceof Error ? error.message : String(error)}`;
}
