import { dag, type Directory } from "@dagger.io/dagger";

import { BUILDER, PREDICATE_NAMES, type PredicateName } from "../core/attestations/names.js";
import {
  billFor,
  modelOf,
  sha256,
  testsPredicate,
  vulnerabilitiesPredicate,
} from "../core/attestations/predicates.js";
import { SlipwayError } from "../core/errors.js";
import { rulesTable } from "../core/evidence.js";
import { pinnedConfig } from "../core/model/attested.js";
import type { PinnedModel } from "../core/model/types.js";
import { allWell } from "../core/policy.js";
import { provenance } from "../core/provenance.js";
import { releaseSections } from "../core/report/released.js";
import { complaint, extended } from "../core/report/report.js";
import { scanSarif } from "../core/scan/findings.js";
import { mergedScan } from "../core/scan/platforms.js";
import type { ScanResult } from "../core/scan/verdict.js";
import { cosignImage, pythonImage, trivyImage, uvImage } from "../images.js";
import { runChecks, withReport } from "./checks.js";
import { readEnvironment, type Context } from "./context.js";
import type { Signer } from "./cosign.js";
import type { BuildFacts } from "./labels.js";
import {
  buildVariants,
  digestOf,
  digestToBe,
  pushTags,
  refuseToOverwrite,
  type Published,
  type PublishRequest,
  type Variants,
} from "./publish.js";
import { resolveModel, type ModelAccess } from "./model.js";
import { decidingFile } from "./pipAudit.js";
import { billOfMaterials, imageSubject, scanAll } from "./scan.js";
import { knownOf, sign, type Known, type Predicate } from "./sign.js";
import { refuseStranger, verifyImage, type Verified } from "./verify.js";

/** An image that is checked, scanned, signed, attested and verified. */
export interface Released {
  readonly published: Published;
  readonly verified: Verified;
  /** The reports of the checks and the scan, and the bill of materials. */
  readonly reports: Directory;
}

/**
 * Takes a service from its source to tags that point at a verified image: checks → build → scan →
 * push → sign → attest → verify → tags. Whatever fails ends it there: the image may then lie in the
 * registry under its digest, but no tag that was asked for points at it. Run again, it continues.
 *
 * @throws SlipwayError RELEASE saying which step failed and why.
 */
export async function release(
  context: Context,
  request: PublishRequest,
  given: BuildFacts,
  signer: Signer,
  models: ModelAccess,
): Promise<Released> {
  await refuseStranger(context, signer.verifier);
  const startedOn = new Date();
  const facts = factsOf(context, given);
  const pinning = pinned(context, models);
  const [checked, { whole, warnings }, variants] = await Promise.all([
    runChecks(context, []),
    pinning,
    pinning.then((found) => buildVariants(found.whole, facts)),
  ]);
  const bad = complaint(checked.report);
  if (bad !== undefined) throw stopped("the checks", bad);
  const model = modelOf(whole.config.model);
  const names = PREDICATE_NAMES.filter((name) => name !== "model" || model);
  const [scanned, { digest, known }, images, inputs] = await Promise.all([
    scans(context, variants),
    foreseen(context, request, variants, { signer, names }),
    toolImages(context),
    filesOf(context),
  ]);
  // Pushing needs a tag. This one says what it is, and nobody deploys by it.
  const staging = { ...request, tags: [`build-${digest.slice(7, 19)}`] };
  const pushed = await pushTags(variants, staging);
  const target = { ...context, reference: pushed.reference, login: request.login };
  const predicates: Predicate[] = [
    [
      "provenance",
      provenance({
        source: { repository: facts.sourceUrl ?? "", revision: facts.revision ?? "" },
        folder: context.folder,
        repository: request.repository,
        platforms: context.config.build.platforms,
        configuration: context.config,
        model: modelOf(context.config.model),
        resolved: model,
        images,
        files: inputs,
        invocationId: `${request.repository}@${startedOn.toISOString()}`,
        startedOn,
        finishedOn: new Date(),
      }),
    ],
    ...scanned.bills.map((bill): Predicate => ["sbom", billFor(bill.platform, bill.text)]),
    ["vulnerabilities", vulnerabilitiesPredicate(scanned.result, BUILDER)],
    ["tests", testsPredicate(checked.report, inputs)],
    ...(model ? [["model", model] as const] : []),
  ];
  // What was looked up before the push is of another image when the engine pushed another one.
  const before = pushed.digest === digest ? known : undefined;
  await sign(context, signer, target, { signed: true, predicates }, before);
  const verified = await verifyImage(whole, signer.verifier, target);
  if (!allWell(verified.rules)) throw stopped("the verification", rulesTable(verified.rules));
  const published = await pushTags(variants, request);
  if (published.digest !== verified.evidence.digest)
    throw new SlipwayError(
      "RELEASE",
      `The tags of ${request.repository} got ${published.digest}, another image than the one that was verified (${verified.evidence.digest ?? "none"}). Do not deploy by them; run the release again.`,
    );
  const sections = releaseSections({
    reference: published.reference,
    verifier: signer.verifier,
    keyReference: signer.keyReference,
    scan: scanned.result,
    sbom: scanned.bills[0]?.text ?? "",
    rules: verified.rules,
    predicates: PREDICATE_NAMES.filter((name) => verified.evidence.statements[name]?.length),
  });
  const told = { ...checked.report, notices: [...checked.report.notices, ...warnings] };
  const files = withReport(checked.files, extended(told, sections));
  return { published, verified, reports: reportsOf(files, scanned, context) };
}

/** The context with the version of the model that the configuration means now, looked up once. */
async function pinned(
  context: Context,
  models: ModelAccess,
): Promise<{ readonly whole: Context; readonly warnings: readonly string[] }> {
  let found: PinnedModel | undefined;
  try {
    found = await resolveModel(context, models);
  } catch (error) {
    // With problems it was looked at and is not as it has to be; otherwise it could not be looked at.
    if (error instanceof SlipwayError && error.problems.length > 0)
      throw stopped("the model", error.message);
    throw error;
  }
  if (!found) return { whole: context, warnings: [] };
  const { config } = context;
  const whole = { ...context, config: { ...config, model: pinnedConfig(config.model, found) } };
  return { whole, warnings: found.warnings };
}

/**
 * The digest that the image will have, and what the signer has said of it already: the registry is
 * asked while trivy looks at the image.
 *
 * @throws SlipwayError RELEASE when a release tag holds other content.
 */
async function foreseen(
  context: Context,
  request: PublishRequest,
  variants: Variants,
  { signer, names }: { readonly signer: Signer; readonly names: readonly PredicateName[] },
): Promise<{ readonly digest: string; readonly known: Known }> {
  const digest = await digestToBe(variants, context);
  const target = { ...context, reference: `${request.repository}@${digest}`, login: request.login };
  const [known] = await Promise.all([
    knownOf(context, signer.verifier, target, names, "after first"),
    request.overwrite ? undefined : refuseToOverwrite(request, () => Promise.resolve(digest)),
  ]);
  return { digest, known };
}

interface Scans {
  readonly result: ScanResult;
  /** CycloneDX, of each platform; without one when the image is for the engine's own. */
  readonly bills: readonly { readonly platform: string | undefined; readonly text: string }[];
}

/** Scans the image of every platform; the result is of all of them together. */
async function scans(context: Context, { built }: Variants): Promise<Scans> {
  const images = built.map(imageSubject);
  const [results, bills] = await Promise.all([
    scanAll(context, images, (why) => stopped("the scan", why)),
    Promise.all(
      images.map(async (image, index) => {
        const { text } = await billOfMaterials(context, image, "cyclonedx");
        return { platform: context.config.build.platforms[index], text };
      }),
    ),
  ]);
  const [first, ...others] = results.map((result, index) => ({
    platform: context.config.build.platforms[index],
    result,
  }));
  if (!first) throw stopped("the scan", "there is no image");
  return { result: mergedScan(first, ...others), bills };
}

function stopped(step: string, why: string): SlipwayError {
  return new SlipwayError(
    "RELEASE",
    `The release was stopped by ${step}; no tag was moved.\n${why}`,
  );
}

/** What is known of the source: as the caller says, else as GitHub does. */
function factsOf(context: Context, { revision, sourceUrl }: BuildFacts): BuildFacts {
  const known = readEnvironment(context.environment);
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository } = known;
  const url =
    server !== undefined && repository !== undefined ? `${server}/${repository}` : undefined;
  return { revision: revision ?? known.GITHUB_SHA, sourceUrl: sourceUrl ?? url };
}

/** SHA-256 of the files that decide what is installed, and of the project's own Dockerfile. */
async function filesOf({
  config,
  project,
  source,
  texts,
}: Context): Promise<Record<string, string>> {
  const names = [project.lockFile, ...project.requirementFiles, "pyproject.toml"];
  const { dockerfile } = config.build;
  return {
    ...Object.fromEntries(
      names.flatMap((name) => {
        const text = name === undefined ? undefined : texts[name];
        return name === undefined || text === undefined ? [] : [[name, sha256(text)]];
      }),
    ),
    ...(dockerfile !== undefined && {
      [dockerfile]: sha256(await source.file(dockerfile).contents()),
    }),
  };
}

/**
 * The images that took part, each with its digest. What a Dockerfile of the project's is made from it
 * says itself, and is not told here: the Dockerfile is, by its digest.
 */
async function toolImages({ config, project }: Context): Promise<Record<string, string>> {
  const references = {
    ...(config.build.dockerfile === undefined && {
      "base image": pythonImage(project.python.version, config.images),
      uv: uvImage(config.images),
    }),
    trivy: trivyImage(config.images),
    cosign: cosignImage(config.images),
  };
  const entries = await Promise.all(
    Object.entries(references).map(async ([name, reference]) => {
      const resolved = await dag.container().from(reference).imageRef();
      const [named = ""] = reference.split("@");
      return [name, `${named}@${digestOf(resolved)}`] as const;
    }),
  );
  return Object.fromEntries(entries);
}

function reportsOf(checks: Directory, { result, bills }: Scans, context: Context): Directory {
  const sarif = scanSarif(result, decidingFile(context), context);
  const files = bills.reduce(
    (each, { platform, text }, index) =>
      each.withNewFile(index === 0 ? "sbom.cyclonedx.json" : billName(platform), text),
    checks.withNewFile("scan.json", JSON.stringify(result)),
  );
  return sarif ? files.withNewFile("sarif/trivy.sarif", sarif.text) : files;
}

/** `sbom.linux-arm64.cyclonedx.json` */
function billName(platform = ""): string {
  return `sbom.${platform.replaceAll("/", "-")}.cyclonedx.json`;
}
