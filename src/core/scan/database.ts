import * as z from "zod";

const HOUR = 3_600_000;

const schema = z.object({ Version: z.int(), UpdatedAt: z.iso.datetime({ offset: true }) });

/** What is known of trivy's database from the file beside it. */
export interface Database {
  /** When it was made, ISO 8601. */
  readonly updatedAt: string;
  readonly version: number;
}

/** The database's own account of itself; undefined when the text is none. */
export function readDatabase(metadata: string): Database | undefined {
  let json: unknown;
  try {
    json = JSON.parse(metadata);
  } catch {
    return undefined;
  }
  const { data } = schema.safeParse(json);
  return data && { updatedAt: data.UpdatedAt, version: data.Version };
}

/** Why a database is not to be believed; undefined when it is. `hours` is the oldest it may be. */
export function databaseProblem(
  database: Database | undefined,
  hours: number,
  now: Date,
): string | undefined {
  if (!database)
    return "the vulnerability database is missing or broken: it has no metadata.json that can be read";
  const age = (now.getTime() - Date.parse(database.updatedAt)) / HOUR;
  if (age < -1)
    return `the vulnerability database says it was made at ${database.updatedAt}, which is in the future`;
  return age <= hours
    ? undefined
    : `the vulnerability database is of ${database.updatedAt}, ${Math.floor(age)} hours old; at most ${hours} are allowed (scan.age)`;
}
