import type { Store } from "../store/store.js";
import type { RegistryClient } from "./client.js";
import { ImageError } from "./failure.js";
import { buildImage } from "./manifest.js";
import { parseRef } from "./reference.js";
import type { Repository, Descriptor, ExportSettings, ImageVariant } from "./types.js";

/**
 * Pushes one image, or an index when there are several variants: blobs first, the tag last, so
 * that a push which fails changes nothing that anybody can see.
 *
 * @returns the canonical reference with the digest of what was pushed.
 * @throws ImageError when the reference has a digest, or the registry refuses.
 */
export async function pushImage(
  client: RegistryClient,
  store: Store,
  ref: string,
  variants: readonly ImageVariant[],
  settings: ExportSettings = {},
): Promise<{ ref: string; digest: string }> {
  const parsed = parseRef(ref);
  if (parsed.digest !== undefined) {
    throw new ImageError(`"${ref}" has a digest; publish to a name and a tag, the digest follows`);
  }
  const { signal } = settings;
  const repository = client.target(parsed);
  const { top, blobs, manifests } = await buildImage(store, variants, settings);
  const unique = new Map(blobs.map((blob) => [blob.digest, blob]));
  for (const blob of unique.values()) await pushBlob(client, store, repository, blob, signal);
  for (const one of manifests) {
    await pushManifest(client, store, repository, one, one.digest, signal);
  }
  await pushManifest(client, store, repository, top, parsed.tag ?? "latest", signal);
  return { ref: `${parsed.canonical}@${top.digest}`, digest: top.digest };
}

async function pushBlob(
  client: RegistryClient,
  store: Store,
  repository: Repository,
  { digest, size }: Descriptor,
  signal: AbortSignal | undefined,
): Promise<void> {
  const what = `the upload of ${digest}`;
  const there = await client.send(repository, `blobs/${digest}`, { method: "HEAD", signal });
  await there.body.dump();
  if (there.statusCode === 200) return;
  const begun = await client.send(repository, "blobs/uploads/", {
    method: "POST",
    body: () => "",
    signal,
  });
  await client.expect(begun, [202], repository, what);
  await begun.body.dump();
  const location = begun.headers.location;
  if (typeof location !== "string") {
    throw new ImageError(`${repository.shown} names no place for ${what}`);
  }
  const url = new URL(location, repository.base);
  url.searchParams.set("digest", digest);
  const done = await client.send(repository, url, {
    method: "PUT",
    headers: { "content-type": "application/octet-stream", "content-length": String(size) },
    body: () => store.blobs.open(digest),
    signal,
  });
  await client.expect(done, [201], repository, what);
  await done.body.dump();
}

async function pushManifest(
  client: RegistryClient,
  store: Store,
  repository: Repository,
  { digest, mediaType }: Descriptor,
  reference: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const body = await store.blobs.read(digest);
  const done = await client.send(repository, `manifests/${reference}`, {
    method: "PUT",
    headers: { "content-type": mediaType },
    body: () => body,
    signal,
  });
  await client.expect(done, [201], repository, `the manifest ${reference}`);
  await done.body.dump();
}
