import { dag, type Container, type Directory, type Secret } from "@dagger.io/dagger";

import { SlipwayError } from "../core/errors.js";
import type { Context } from "./context.js";
import { pythonBase } from "./base.js";

/** Who may write to the registry. */
export interface RegistryLogin {
  readonly username: string;
  readonly password: Secret;
}

export interface PublishRequest {
  /** `registry.example/team/service`, without a tag. */
  readonly repository: string;
  readonly tags: readonly string[];
  /** Let release tags be moved to other content. */
  readonly overwrite: boolean;
  readonly login?: RegistryLogin | undefined;
}

/** What was published: all tags give this one digest. */
export interface Published {
  /** `registry.example/team/service@sha256:…` */
  readonly reference: string;
  readonly digest: string;
  /** Each tag as a full reference. */
  readonly tags: readonly string[];
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

/**
 * Publishes one image under all tags. Release tags come first looked at, last written: a refusal
 * changes nothing in the registry.
 *
 * @throws SlipwayError RELEASE when a release tag holds other content, or the tags differ.
 */
export async function publishImage(
  image: Container,
  request: PublishRequest,
  context: Context,
): Promise<Published> {
  const { repository, tags, login } = request;
  const authorised = login
    ? image.withRegistryAuth(repository, login.username, login.password)
    : image;
  if (!request.overwrite) await refuseToOverwrite(authorised, request, context);
  const digests: string[] = [];
  // One after another: the first pushes the layers, the others only name them.
  for (const tag of tags) digests.push(digestOf(await authorised.publish(`${repository}:${tag}`)));
  const [digest] = digests;
  if (digest === undefined)
    throw new SlipwayError("RELEASE", `Nothing to publish to ${repository}: give at least one tag.`);
  if (digests.some((other) => other !== digest))
    throw new SlipwayError(
      "RELEASE",
      `The tags of ${repository} got different digests: ${tags.map((tag, index) => `${tag} ${digests[index] ?? ""}`).join(", ")}. This is a fault of the engine; publish again.`,
    );
  return {
    reference: `${repository}@${digest}`,
    digest,
    tags: tags.map((tag) => `${repository}:${tag}`),
  };
}

async function refuseToOverwrite(
  image: Container,
  { repository, tags, login }: PublishRequest,
  context: Context,
): Promise<void> {
  const found = await Promise.all(
    tags.filter(isReleaseTag).map(async (tag) => ({
      tag,
      digest: await publishedDigest(`${repository}:${tag}`, login),
    })),
  );
  const taken = found.filter((each) => each.digest !== undefined);
  if (taken.length === 0) return;
  const digest = await digestToBe(image, context);
  const other = taken.filter((each) => each.digest !== digest);
  if (other.length === 0) return;
  throw new SlipwayError(
    "RELEASE",
    [
      `Nothing was published: ${repository} has other content under`,
      ...other.map((each) => `  ${each.tag}: ${each.digest ?? ""}`),
      `than the image that was built: ${digest}.`,
      "Raise the version, or pass --overwrite (publish.overwrite) if the tag must move.",
    ].join("\n"),
  );
}

/** Digest of a reference in its registry; undefined when there is none. */
async function publishedDigest(
  reference: string,
  login: RegistryLogin | undefined,
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

/** Digest that the image gets when it is published, without publishing it. */
async function digestToBe(image: Container, context: Context): Promise<string> {
  const index = await pythonBase(context)
    .withMountedFile("/image.tar", image.asTarball())
    .withExec(["tar", "--extract", "--to-stdout", "--file=/image.tar", "index.json"])
    .stdout();
  const { manifests } = JSON.parse(index) as { manifests: { digest: string }[] };
  return manifests[0]?.digest ?? "";
}
