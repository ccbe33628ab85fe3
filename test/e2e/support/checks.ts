import type { CheckName, CheckResult } from "../../../src/core/check.js";
import { readReport, type Report } from "../../../src/core/report/report.js";
import type { Session } from "./session.js";

/** Python of the sandbox's images that all tests share, and so install for once. */
const PYTHON = "3.13";

/** Arguments of the module's constructor. */
export interface Given {
  /** Checks to run. @default all */
  readonly only?: readonly CheckName[];
  /** Further configuration, as `key=value`. */
  readonly set?: readonly string[];
  readonly folder?: string;
  /** ID of a secret. */
  readonly safetyKey?: string;
  /** Folder of this machine with advisories. */
  readonly advisories?: string;
  /** Folder of this machine with trivy's database. */
  readonly database?: string;
  /** Registry on this machine's loopback, `127.0.0.1:port`. */
  readonly registry?: string;
  /** Further ports of this machine that are reached where the registry is. */
  readonly ports?: readonly number[];
  /** Folder of this machine that the reports are written to. */
  readonly exportTo?: string;
}

/** For a test of publishing that is not about the scan, which needs a database. */
export const UNSCANNED = { set: ["publish.scan=false"] } as const satisfies Given;

export interface Checked {
  readonly report: Report;
  readonly passed: boolean;
  readonly summary: string;
}

/** `slipway(source: …)`, the module's object for a folder of this machine. */
export async function slipway(
  session: Session,
  source: string,
  given: Given = {},
): Promise<string> {
  const { folder, safetyKey, advisories, database, registry, ports = [], set = [] } = given;
  const fields = Object.entries({
    source: await session.directory(source),
    set: [`python.version=${PYTHON}`, ...set],
    folder,
    safetyKey,
    advisories: advisories === undefined ? undefined : await session.directory(advisories),
    database: database === undefined ? undefined : await session.directory(database),
    registry: registry === undefined ? undefined : await loopback(session, registry, ports),
  }).filter(([, value]) => value !== undefined);
  return `slipway(${fields.map(([name, value]) => `${name}: ${JSON.stringify(value)}`).join(", ")})`;
}

/** ID of a service on this machine's loopback. */
export async function loopback(
  session: Session,
  address: string,
  more: readonly number[] = [],
): Promise<string> {
  const ports = [Number(address.split(":").at(-1)), ...more]
    .map((port) => `{ frontend: ${port}, backend: ${port} }`)
    .join(", ");
  const { host } = await session.query<{ host: { service: { id: string } } }>(
    `{ host { service(host: "127.0.0.1", ports: [${ports}]) { id } } }`,
  );
  return host.service.id;
}

/** Runs checks on a folder of this machine. */
export async function check(session: Session, source: string, given: Given = {}): Promise<Checked> {
  const { only = [], exportTo } = given;
  const reports =
    exportTo === undefined ? "" : `reports { export(path: ${JSON.stringify(exportTo)}) }`;
  const { slipway: answer } = await session.query<{
    slipway: { checks: { report: string; passed: boolean; summary: string } };
  }>(
    `{ ${await slipway(session, source, given)} { checks(only: ${JSON.stringify(only)}) { report passed summary ${reports} } } }`,
  );
  return { ...answer.checks, report: readReport(answer.checks.report) };
}

/** State of each check that ran, by its name. */
export function states(report: Report): Record<string, string> {
  return Object.fromEntries(report.checks.map(({ name, state }) => [name, state]));
}

/** One check of a report. */
export function checkOf(report: Report, name: CheckName): CheckResult {
  const found = report.checks.find((each) => each.name === name);
  if (!found) throw new Error(`The report has no ${name}.`);
  return found;
}
