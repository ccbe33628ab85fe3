import { dag, type Container, type Platform, type Secret } from "@dagger.io/dagger";

import { IMAGE_TAG } from "../core/config/schema.js";
import { SlipwayError } from "../core/errors.js";
import { UNKNOWN_VERSION } from "../core/project/version.js";
import { pythonBase } from "./base.js";
import { buildImage, type Built } from "./build.js";
import type { Context } from "./context.js";
import type { BuildFacts } from "./labels.js";
import type { Login } from "./programs.js";
import { imageSubject, scanAll } from "./scan.js";

/** Where an image goes. */
export interface PublishRequest {
  /** `registry.example/team/service`, without a tag. */
  readonly repository: string;
  readonly tags: readonly string[];
  /** The tag of the project's version, which is a release tag whatever its form. */
  readonly version?: string | undefined;
  /** Let release tags be moved to other content. */
  readonly overwrite: boolean;
  readonly login?: Login | undefined;
}

/** What the caller says of it; the configuration fills in the rest. */
export interface PublishArguments {
  readonly repository?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly username?: string | undefined;
  readonly password?: Secret | undefined;
  readonly overwrite: boolean;
}

/** What was published: all tags give this one digest. */
export interface Published {
  /** `registry.example/team/service@sha256:…` */
  readonly reference: string;
  readonly digest: string;
  /** Each tag as a full reference. */
  readonly tags: readonly string[];
}

/**
 * Where the image goes, from the arguments and the configuration.
 *
 * @throws SlipwayError USAGE when the registry, the tags, or one half of the credentials, is missing.
 */
export function publishTarget(
  { config, project }: Pick<Context, "config" | "project">,
  given: PublishArguments,
): PublishRequest {
  const { registry, repository = project.name, tags, overwrite } = config.publish;
  const { username, password } = given;
  const problems: string[] = [];
  if (given.repository === undefined && registry === undefined)
    problems.push(
      "where to: pass --repository, or set publish.registry in [tool.slipway] (SLIPWAY_PUBLISH_REGISTRY)",
    );
  const chosen = given.tags && given.tags.length > 0 ? given.tags : tags;
  if (chosen.length === 0 && project.version === UNKNOWN_VERSION)
    problems.push(
      `under which tags: the version of ${project.name} is only known when it is built (from git, or by code); pass --tags, or set publish.tags in [tool.slipway] (SLIPWAY_PUBLISH_TAGS)`,
    );
  problems.push(...loginProblems(username, password));
  if (problems.length > 0)
    throw new SlipwayError("USAGE", `Nothing was published; missing: ${problems.join("; ")}.`);
  const named = chosen.length > 0 ? chosen : [tagOfVersion(project.version)];
  const bad = named.filter((tag) => !IMAGE_TAG.test(tag));
  if (bad.length > 0)
    throw new SlipwayError(
      "USAGE",
      `Nothing was published: ${bad.map((tag) => `"${tag}"`).join(", ")} cannot be a tag: it has letters, digits, ".", "_" and "-", at most 128. Pass --tags, or set publish.tags in [tool.slipway].`,
    );
  return {
    repository: given.repository ?? `${registry ?? ""}/${repository}`,
    tags: named,
    version: tagOfVersion(project.version),
    overwrite: given.overwrite || overwrite,
    login: username !== undefined && password ? { username, password } : undefined,
  };
}

/**
 * Who reads a registry; nobody in particular when neither half is given.
 *
 * @throws SlipwayError USAGE when one half is missing.
 */
export function loginOf(
  username: string | undefined,
  password: Secret | undefined,
): Login | undefined {
  const problems = loginProblems(username, password);
  if (problems.length > 0)
    throw new SlipwayError(
      "USAGE",
      `The credentials are not complete; missing: ${problems.join()}.`,
    );
  return username !== undefined && password ? { username, password } : undefined;
}

function loginProblems(username: string | undefined, password: Secret | undefined): string[] {
  if (password && username === undefined) return ["whose password it is: pass --username"];
  if (username !== undefined && !password)
    return [`the password of ${username}: pass --password as a secret`];
  return [];
}

/** A version as a tag: a local one (`1.2.3+cpu`, PEP 440) has a sign that no tag has. */
function tagOfVersion(version: string): string {
  return version.replaceAll("+", "_");
}

/** A tag that people rely on to stay what it is: `v1.2.3`, `1.2.3`, `1.2.3-rc.1`, `2026.11.0`. */
export function isReleaseTag(tag: string): boolean {
  return /^v?\d+\.\d+\.\d+([-.+_]?[\w.+-]*)?$/.test(tag);
}

/** The digest in `registry.example/service:tag@sha256:…`, which is what publishing answers. */
export function digestOf(reference: string): string {
  const digest = /@(sha256:[0-9a-f]{64})$/.exec(reference)?.[1];
  if (digest === undefined)
    throw new SlipwayError("RELEASE", `The engine published "${reference}", which has no digest.`);
  return digest;
}

/**
 * Whether a registry's refusal says that the image is not there. Anything else (no access, no
 * connection, a server's fault) is no answer to that question.
 */
export function saysNotFound(message: string): boolean {
  if (/unauthorized|denied|forbidden|\b401\b|\b403\b/i.test(message)) return false;
  return /manifest[ _]unknown|name[ _]unknown|not found|\b404\b/i.test(message);
}

/** An image for one platform or several, ready to be pushed as one. */
export interface Variants {
  readonly first: Container;
  readonly others: Container[];
  /** All of them, with what they are made on. */
  readonly built: readonly Built[];
}

/** Builds the image for every platform of the configuration. */
export async function buildVariants(context: Context, facts: BuildFacts): Promise<Variants> {
  const platforms = context.config.build.platforms as Platform[];
  const built = await Promise.all(
    (platforms.length > 0 ? platforms : [undefined]).map((platform) =>
      buildImage(context, facts, platform),
    ),
  );
  const [first, ...others] = built.map(({ image }) => image);
  if (!first) throw new SlipwayError("RELEASE", "There is no platform to build for.");
  return { first, others, built };
}

/**
 * Builds the image and publishes it under all tags. Release tags are looked at before anything is
 * written: a refusal changes nothing in the registry.
 *
 * @throws SlipwayError RELEASE when a release tag holds other content, the scan stops the image, or
 *   the tags differ.
 */
export async function publishImage(
  context: Context,
  request: PublishRequest,
  facts: BuildFacts,
): Promise<Published> {
  const variants = await buildVariants(context, facts);
  if (!request.overwrite) await refuseToOverwrite(request, () => digestToBe(variants, context));
  if (context.config.publish.scan) await scanAll(context, variants.built.map(imageSubject), unsafe);
  return await pushTags(variants, request);
}

function unsafe(why: string): SlipwayError {
  return new SlipwayError(
    "RELEASE",
    `Nothing was published; the image was stopped by the scan.\n${why}\n\`slipway scan\` shows all of it; publish.scan=false publishes without looking.`,
  );
}

/**
 * Pushes an image under all tags of a request.
 *
 * @throws SlipwayError RELEASE when the tags got different digests.
 */
export async function pushTags(
  { first, others }: Variants,
  { repository, tags, login }: PublishRequest,
): Promise<Published> {
  const image = login ? first.withRegistryAuth(repository, login.username, login.password) : first;
  const together = others.length > 0 ? { platformVariants: others } : {};
  const digests: string[] = [];
  // One after another: the first pushes the layers, the others only name them.
  for (const tag of tags)
    digests.push(digestOf(await image.publish(`${repository}:${tag}`, together)));
  const [digest = ""] = digests;
  if (digests.some((other) => other !== digest))
    throw new SlipwayError(
      "RELEASE",
      `The tags of ${repository} got different digests (${tags.map((tag, index) => `${tag}: ${digests[index] ?? ""}`).join(", ")}), which is a fault of the engine. Publish again.`,
    );
  return {
    reference: `${repository}@${digest}`,
    digest,
    tags: tags.map((tag) => `${repository}:${tag}`),
  };
}

/**
 * Refuses when a release tag of the request holds other content than the image will be.
 *
 * @throws SlipwayError RELEASE naming each such tag, before anything is written.
 */
export async function refuseToOverwrite(
  { repository, tags, version, login }: PublishRequest,
  toBe: () => Promise<string>,
): Promise<void> {
  const found = await Promise.all(
    tags
      .filter((tag) => tag === version || isReleaseTag(tag))
      .map(async (tag) => ({
        tag,
        digest: await publishedDigest(`${repository}:${tag}`, login),
      })),
  );
  const taken = found.filter((each) => each.digest !== undefined);
  if (taken.length === 0) return;
  const digest = await toBe();
  const other = taken.filter((each) => each.digest !== digest);
  if (other.length === 0) return;
  throw new SlipwayError(
    "RELEASE",
    [
      `Nothing was published: ${repository} holds other content under`,
      ...other.map((each) => `  ${each.tag}: ${each.digest ?? ""}`),
      `than the image that was built: ${digest}.`,
      "Raise the version, or pass --overwrite (publish.overwrite) if the tag must move.",
    ].join("\n"),
  );
}

/** Digest of a reference in its registry; undefined when there is none. */
async function publishedDigest(
  reference: string,
  login: Login | undefined,
): Promise<string | undefined> {
  const container = login
    ? dag.container().withRegistryAuth(reference, login.username, login.password)
    : dag.container();
  try {
    return digestOf(await container.from(reference).imageRef());
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (saysNotFound(message)) return undefined;
    throw new SlipwayError(
      "RELEASE",
      `Nothing was published: the registry does not say what ${reference} holds (${message}). Check its address and the credentials.`,
    );
  }
}

/** Digest that an image gets when it is published, read from its archive. */
export async function digestToBe({ first, others }: Variants, context: Context): Promise<string> {
  const archive = first.asTarball(others.length > 0 ? { platformVariants: others } : {});
  const index = await pythonBase(context)
    .withMountedFile("/image.tar", archive)
    .withExec(["tar", "--extract", "--to-stdout", "--file=/image.tar", "index.json"])
    .stdout();
  const { manifests } = JSON.parse(index) as { manifests: readonly { digest: string }[] };
  return manifests[0]?.digest ?? "";
}
