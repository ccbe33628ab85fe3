import type { Container, Directory, File } from "@dagger.io/dagger";

import { SlipwayError } from "../core/errors.js";
import { conclusion } from "../core/scan/table.js";
import { scanErrored, scanVerdict, type ScanResult } from "../core/scan/verdict.js";
import { buildImage, type Built } from "./build.js";
import type { Context } from "./context.js";
import {
  billFile,
  billOfFolder,
  billOfImage,
  imageProblem,
  scanFolder,
  scanImage,
  type Subject,
} from "./trivy.js";
import { database } from "./trivyDatabase.js";

const REPORT = "trivy.json";

/** A scan's verdict, and trivy's own words. */
export interface Scan {
  readonly result: ScanResult;
  /** trivy's JSON; absent when trivy left none. */
  readonly raw?: string;
}

/**
 * Runs trivy once over an image or a folder. What goes wrong (no database, one that is too old, a
 * trivy that fails) is ERRORED, not thrown. A run that an engine kept and that did not work is made
 * again.
 */
export async function scan(context: Context, subject: Subject): Promise<Scan> {
  const now = new Date();
  const first = await once(context, subject, now);
  if (first.result.state !== "ERRORED" || context.attempt !== undefined) return first;
  return await once({ ...context, attempt: now.toISOString() }, subject, now);
}

async function once(context: Context, subject: Subject, now: Date): Promise<Scan> {
  const { scan: config } = context.config;
  const malicious = imageProblem(context);
  if (malicious !== undefined) return { result: scanErrored(malicious) };
  const usable = await database(context, now);
  if (typeof usable === "string") return { result: scanErrored(usable) };
  const inputs = {
    report: REPORT,
    database: usable.folder,
    ...(config.vex === undefined ? {} : { vex: context.source.file(config.vex) }),
  };
  const { run } =
    subject.kind === "directory"
      ? await scanFolder(context, subject.directory, inputs)
      : await scanImage(context, subject, inputs);
  const today = now.toISOString().slice(0, 10);
  const result = scanVerdict(run, { config, today, database: usable.about });
  return { result, ...(run.report === undefined ? {} : { raw: run.report }) };
}

/** An image as something to look at. */
export function imageSubject({ image, below }: Built): Subject {
  return {
    kind: "image",
    tarball: image.asTarball(),
    ...(below === undefined ? {} : { below: below.asTarball() }),
  };
}

/**
 * Scans the image of every platform.
 *
 * @param stopped What is thrown for one that may not be pushed, by why.
 */
export async function scanAll(
  context: Context,
  images: readonly Subject[],
  stopped: (why: string) => Error,
): Promise<ScanResult[]> {
  const scans = await Promise.all(images.map((image) => scan(context, image)));
  const results = scans.map(({ result }) => result);
  const bad = results.find(({ state }) => state !== "PASSED");
  if (bad) throw stopped(`${bad.state}: ${conclusion(bad)}`);
  return results;
}

/**
 * The bill of materials of an image or a folder; it needs no vulnerability database.
 *
 * @throws SlipwayError USAGE for another form, RELEASE when trivy fails or sees no package.
 */
export async function billOfMaterials(
  context: Context,
  subject: Subject,
  format: string,
): Promise<{ file: File; text: string }> {
  if (format !== "cyclonedx" && format !== "spdx")
    throw new SlipwayError("USAGE", `--format takes cyclonedx or spdx; "${format}" is neither.`);
  const malicious = imageProblem(context);
  if (malicious !== undefined) throw new SlipwayError("RELEASE", malicious);
  const report = billFile(format);
  const { run, files } =
    subject.kind === "directory"
      ? await billOfFolder(context, subject.directory, format)
      : await billOfImage(context, subject, format);
  if (run.exitCode !== 0 || run.report === undefined)
    throw new SlipwayError(
      "RELEASE",
      `trivy exited with ${run.exitCode} and made no bill of materials: ${run.stderr.slice(-2000)}`,
    );
  const { components = [], packages = [] } = JSON.parse(run.report) as {
    components?: unknown[];
    packages?: unknown[];
  };
  if (components.length + packages.length === 0)
    throw new SlipwayError("RELEASE", "trivy saw no package, so there is no bill of materials.");
  return { file: files.file(report), text: run.report };
}

/**
 * What is to be looked at: what the caller names, else the service's image.
 *
 * @throws SlipwayError USAGE when several are named.
 */
export async function subjectOf(
  context: Context,
  named: {
    readonly image?: Container | undefined;
    readonly tarball?: File | undefined;
    readonly directory?: Directory | undefined;
  },
): Promise<Subject> {
  const { image, tarball, directory } = named;
  if ([image, tarball, directory].filter((each) => each !== undefined).length > 1)
    throw new SlipwayError("USAGE", "Give one of --image, --tarball and --directory.");
  if (directory) return { kind: "directory", directory };
  if (tarball) return { kind: "image", tarball };
  return imageSubject(image ? { image } : await buildImage(context, {}));
}
