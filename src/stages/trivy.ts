import type { Container, Directory, File } from "@dagger.io/dagger";

import { scanSpan } from "../core/scan/freshness.js";
import { scannerProblem, tagOf } from "../core/scan/scanner.js";
import { trivyImage } from "../images.js";
import type { Context } from "./context.js";
import { OUT, runTool, type Execution } from "./execution.js";
import { withProgram } from "./programs.js";

const CACHE = "/cache";

/** Folder in `OUT` where a look leaves what trivy knows of an image. */
const KNOWN = "known";

/** Folder in `OUT` where a look leaves an image without its layers. */
const BARE = "bare";

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

/** Why trivy must not be run as it is configured; undefined when it may. */
export function imageProblem({ config }: Pick<Context, "config">): string | undefined {
  return scannerProblem(tagOf(trivyImage(config.images)));
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
    mounted(context, knowing(context, subject.tarball, looked), inputs),
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
  const ready = mounted(context, program(context), inputs).withMountedDirectory("/src", directory);
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

function mounted(
  { config }: Context,
  container: Container,
  { database: folder, vex }: ScanInputs,
): Container {
  const ready = container
    .withDirectory(`${CACHE}/db`, folder)
    // A kept scan says when it was made: one that is too old to be attested is made again.
    .withEnvVariable("SLIPWAY_SCAN_SPAN", String(scanSpan(config.verify.age, new Date())));
  return vex ? ready.withMountedFile("/vex.json", vex) : ready;
}
