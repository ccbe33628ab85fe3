import type { Container, Directory, File } from "@dagger.io/dagger";

import { databaseProblem, readDatabase, type Database } from "../core/scan/database.js";
import { scannerProblem, tagOf } from "../core/scan/scanner.js";
import { lastLines } from "../core/text.js";
import { trivyImage } from "../images.js";
import type { Context } from "./context.js";
import { OUT, runTool, type Execution } from "./execution.js";
import { isPlain, within, withProgram, withRegistry } from "./programs.js";

const CACHE = "/cache";

/** Folder in `OUT` where a look leaves what trivy knows of an image. */
const KNOWN = "known";

/** Folder in `OUT` where a look leaves an image without its layers. */
const BARE = "bare";
const HOUR = 3_600_000;

/** Hours after which the database is asked for again; the public one is made anew every six. */
const FRESH = 6;

/** Unpacks an archive for trivy, which takes OCI layouts as folders and Docker's archives as files. */
const UNPACK =
  'set -e; mkdir /tmp/image; tar -xf "$0" -C /tmp/image; if [ -e /tmp/image/index.json ]; then at=/tmp/image; else at=$0; fi;';

/** Where it finds what it knows of the layers below, and goes on from there. */
const BEFORE = "/before";
const RESUME = `[ ! -d ${BEFORE} ] || cp -R ${BEFORE} ${OUT}/${KNOWN};`;

/** Leaves what is small of an OCI layout: its index, manifest and configuration. */
const STRIP = `; mkdir ${OUT}/${BARE}; [ "$at" = "$0" ] || (cd "$at"; find . -type f -size -1024k -exec cp --parents {} ${OUT}/${BARE} \\;)`;

/** Forms of a bill of materials, by trivy's names for them. */
const FORMATS = { cyclonedx: "cyclonedx", spdx: "spdx-json" } as const;

/** The file of a bill of materials. */
export function billFile(format: keyof typeof FORMATS): string {
  return `sbom.${format}.json`;
}

/** An image in an archive. */
export interface ImageSubject {
  readonly kind: "image";
  readonly tarball: File;
  /** Another one, with the layers below those that change from commit to commit. */
  readonly below?: File;
}

/** What is looked at. */
export type Subject = ImageSubject | { readonly kind: "directory"; readonly directory: Directory };

/** A vulnerability database that may be believed. */
export interface UsableDatabase {
  readonly folder: Directory;
  readonly about: Database;
}

/** Why trivy must not be run as it is configured; undefined when it may. */
export function imageProblem({ config }: Pick<Context, "config">): string | undefined {
  return scannerProblem(tagOf(trivyImage(config.images)));
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
  const plain = source !== undefined && isPlain(context, source) ? ["--insecure"] : [];
  return await runTool(
    { ...context, attempt: context.attempt ?? period(now) },
    container,
    [
      ...["trivy", "image", "--download-db-only", "--no-progress"],
      ...[`--cache-dir=${OUT}/cache`, ...from, ...plain],
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

/** Flags that keep trivy from asking anybody anything. */
const OFFLINE = [
  "--quiet",
  "--cache-backend=fs",
  "--skip-db-update",
  "--skip-java-db-update",
  "--offline-scan",
  "--skip-version-check",
  "--disable-telemetry",
];

/**
 * How trivy looks at the files themselves, whatever the vulnerability database says. Whoever asks
 * for what it knows of an image has to ask for the same: another look is another image to it.
 */
function looking(context: Context): string[] {
  const scanners = scannersOf(context);
  return [...common(context), ...(scanners.length > 0 ? [`--scanners=${scanners.join(",")}`] : [])];
}

function scannersOf({ config: { scan } }: Context): string[] {
  return [...(scan.secrets ? ["secret"] : []), ...(scan.licenses.length > 0 ? ["license"] : [])];
}

/**
 * The one look at an image's files: its CycloneDX bill of materials, and what trivy knows of the
 * image, for all that is asked after. It needs no database, so a newer one does not make it look
 * again.
 */
async function lookAt(
  context: Context,
  { tarball, below }: Pick<ImageSubject, "tarball" | "below">,
): Promise<Execution> {
  // What is below is looked at once for all commits; a look that did not work is repeated as a whole.
  const known = below && (await lookAt(context, { tarball: below }));
  const before = known?.run.exitCode === 0 ? known.files.directory(KNOWN) : undefined;
  const report = billFile("cyclonedx");
  const command = [
    ...["trivy", "image", ...looking(context), `--cache-dir=${OUT}/${KNOWN}`],
    // This form makes trivy hash the packages' files.
    ...[`--format=${FORMATS.cyclonedx}`, `--output=${OUT}/${report}`],
  ];
  return await runTool(
    context,
    program(context)
      .withMountedFile("/image.tar", tarball)
      .with((each) => (before ? each.withMountedDirectory(BEFORE, before) : each)),
    ["sh", "-c", `${UNPACK} ${RESUME} "$@" --input "$at"${STRIP}`, "/image.tar", ...command],
    { timeout: context.config.timeouts.check, report, version: "" },
  );
}

/** A container where trivy finds all that it knows of an image, and the image without its layers. */
function knowing(context: Context, tarball: File, { files }: Execution): Container {
  return program(context)
    .withDirectory(CACHE, files.directory(KNOWN))
    .withMountedDirectory("/bare", files.directory(BARE))
    .withMountedFile("/image.tar", tarball);
}

/** Runs trivy on an image that it knows; Docker's archives have no part that would do alone. */
function again(args: readonly string[]): string[] {
  const script =
    'if [ -e /bare/index.json ]; then at=/bare; else at=$0; fi; exec "$@" --input "$at"';
  return ["sh", "-c", script, "/image.tar", "trivy", "image", ...args];
}

/** The bill of materials of an image. */
export async function billOfImage(
  context: Context,
  subject: ImageSubject,
  format: keyof typeof FORMATS,
): Promise<Execution> {
  const looked = await lookAt(context, subject);
  if (format === "cyclonedx" || looked.run.exitCode !== 0) return looked;
  const report = billFile(format);
  return await runTool(
    context,
    knowing(context, subject.tarball, looked),
    again([
      ...[...looking(context), `--cache-dir=${CACHE}`],
      ...[`--format=${FORMATS[format]}`, `--output=${OUT}/${report}`],
    ]),
    { timeout: context.config.timeouts.check, report, version: "" },
  );
}

interface ScanInputs {
  readonly report: string;
  readonly database: Directory;
  readonly vex?: File;
}

/** Looks at an image, and holds what was found to a database; that reads no layer again. */
export async function scanImage(
  context: Context,
  subject: ImageSubject,
  inputs: ScanInputs,
): Promise<Execution> {
  const looked = await lookAt(context, subject);
  if (looked.run.exitCode !== 0) return looked;
  return await runTool(
    context,
    mounted(knowing(context, subject.tarball, looked), inputs),
    again(scanning(context, inputs)),
    { timeout: context.config.timeouts.check, report: inputs.report, version: "" },
  );
}

/** Looks at a folder and holds it to a database, at once. */
export async function scanFolder(
  context: Context,
  directory: Directory,
  inputs: ScanInputs,
): Promise<Execution> {
  const ready = mounted(program(context), inputs).withMountedDirectory("/src", directory);
  return await runTool(context, ready, ["trivy", "fs", ...scanning(context, inputs), "/src"], {
    timeout: context.config.timeouts.check,
    report: inputs.report,
    version: "",
  });
}

/** The bill of materials of a folder. */
export async function billOfFolder(
  context: Context,
  directory: Directory,
  format: keyof typeof FORMATS,
): Promise<Execution> {
  const report = billFile(format);
  return await runTool(
    context,
    program(context).withMountedDirectory("/src", directory),
    [
      ...["trivy", "fs", ...common(context), `--cache-dir=${CACHE}`],
      ...[`--format=${FORMATS[format]}`, `--output=${OUT}/${report}`, "/src"],
    ],
    { timeout: context.config.timeouts.check, report, version: "" },
  );
}

function scanning(context: Context, { report, vex }: ScanInputs): string[] {
  return [
    ...common(context),
    ...[`--cache-dir=${CACHE}`, "--format=json", "--list-all-pkgs"],
    `--scanners=${["vuln", ...scannersOf(context)].join(",")}`,
    `--output=${OUT}/${report}`,
    ...(vex ? ["--vex=/vex.json", "--show-suppressed"] : []),
  ];
}

function common({ config }: Context): string[] {
  return [...OFFLINE, `--timeout=${config.timeouts.check}s`];
}

function program(context: Context): Container {
  // It makes much garbage: to collect it less often takes 100 MB more and a tenth less time.
  return withProgram(context, "trivy").withEnvVariable("GOGC", "400");
}

function mounted(container: Container, { database: folder, vex }: ScanInputs): Container {
  const ready = container.withDirectory(`${CACHE}/db`, folder);
  return vex ? ready.withMountedFile("/vex.json", vex) : ready;
}
