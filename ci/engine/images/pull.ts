import { Readable } from "node:stream";

import type { Store } from "../store/store.js";
import type { Snapshot } from "../store/types.js";
import type { RegistryClient } from "./client.js";
import { ImageError } from "./failure.js";
import { importLayer } from "./layer-in.js";
import { parseRef } from "./reference.js";
import type {
  Repository,
  Descriptor,
  ImageRef,
  Index,
  Manifest,
  OciImageConfig,
  Platform,
} from "./types.js";

export interface PulledImage {
  snapshot: Snapshot;
  config: OciImageConfig;
  /** Digest of what the reference names: an index or a manifest. */
  digest: string;
  /** The canonical reference with that digest. */
  ref: string;
}

/** Reads a blob by its descriptor, from wherever an image comes, into the store. */
export type Fetch = (descriptor: Descriptor) => Promise<void>;

type StoredConfig = OciImageConfig & { rootfs?: { diff_ids?: string[] } };

const PARALLEL = 3;

/** The manifest and config of `ref` for one platform, without its layers. */
export async function resolve(
  client: RegistryClient,
  ref: string,
  platform: Platform,
  store: Store,
  signal?: AbortSignal,
): Promise<{ digest: string; manifest: Manifest; config: OciImageConfig; ref: string }> {
  const { parsed, repository } = locate(client, ref);
  const top = await topOf(client, repository, parsed, signal);
  const manifest = await choose(client, repository, top, platform, ref, signal);
  await fetcher(client, repository, store, signal)(manifest.config);
  const config = readConfig(await store.blobs.read(manifest.config.digest));
  return { digest: top.digest, manifest, config, ref: withDigest(parsed, top.digest) };
}

/**
 * Pulls an image for one platform. By digest, it is answered from the store when it is there;
 * by tag, the registry is asked what the tag means now, and only what is missing is read.
 *
 * @throws ImageError when the registry, the image or the platform is not as wanted.
 */
export async function pull(
  client: RegistryClient,
  ref: string,
  platform: Platform,
  store: Store,
  signal?: AbortSignal,
): Promise<PulledImage> {
  const { parsed, repository } = locate(client, ref);
  const { os, architecture, variant = "" } = platform;
  const key = (digest: string): string => `image ${digest} ${os}/${architecture}/${variant}`;
  const finish = (digest: string, image: Omit<PulledImage, "digest" | "ref">): PulledImage => ({
    ...image,
    digest,
    ref: withDigest(parsed, digest),
  });
  const here = parsed.digest && (await store.memo.get(key(parsed.digest)));
  if (parsed.digest && here) return finish(parsed.digest, here as PulledImage);
  const top = await topOf(client, repository, parsed, signal);
  const known = await store.memo.get(key(top.digest));
  if (known) return finish(top.digest, known as PulledImage);
  const manifest = await choose(client, repository, top, platform, ref, signal);
  const image = await unpackImage(
    store,
    manifest,
    fetcher(client, repository, store, signal),
    signal,
  );
  await store.memo.set(key(top.digest), image, {
    layers: image.snapshot.layers,
    blobs: [manifest.config.digest],
  });
  return finish(top.digest, image);
}

/** Turns a manifest and its blobs into a snapshot and a config. */
export async function unpackImage(
  store: Store,
  manifest: Manifest,
  fetch: Fetch,
  signal?: AbortSignal,
): Promise<{ snapshot: Snapshot; config: OciImageConfig }> {
  await fetch(manifest.config);
  const config = readConfig(await store.blobs.read(manifest.config.digest));
  const diffIds = config.rootfs?.diff_ids ?? [];
  if (diffIds.length !== manifest.layers.length) {
    throw new ImageError(
      `The image is broken: its manifest has ${manifest.layers.length} layers, its config ${diffIds.length}`,
    );
  }
  // Some layers are read while others are unpacked, one on the other.
  const waiting = new Map<number, Promise<void>>();
  let snapshot: Snapshot = { layers: [] };
  try {
    for (const [index, descriptor] of manifest.layers.entries()) {
      for (let next = index; next < Math.min(index + PARALLEL, manifest.layers.length); next++) {
        const ahead = manifest.layers[next];
        if (!ahead || waiting.has(next)) continue;
        const fetched = fetch(ahead);
        // Its failure is met when its turn comes, and must not end the process before.
        fetched.catch(() => undefined);
        waiting.set(next, fetched);
      }
      await waiting.get(index);
      const diffId = diffIds[index] ?? "";
      snapshot = await importLayer(store, snapshot, { descriptor, diffId }, signal);
    }
  } finally {
    await Promise.allSettled(waiting.values());
  }
  // The layers are the snapshot's; a list beside it could only contradict it.
  delete config.rootfs;
  return { snapshot: await store.compact(snapshot), config };
}

function locate(client: RegistryClient, ref: string): { parsed: ImageRef; repository: Repository } {
  const parsed = parseRef(ref);
  return { parsed, repository: client.source(parsed) };
}

interface Top {
  digest: string;
  mediaType: string;
  body: Buffer;
}

async function topOf(
  client: RegistryClient,
  repository: Repository,
  ref: ImageRef,
  signal?: AbortSignal,
): Promise<Top> {
  const top = await client.manifest(repository, ref.digest ?? ref.tag ?? "latest", { signal });
  if (!top) throw new ImageError(`${ref.canonical} does not exist`, 404);
  return top;
}

/** The manifest itself, or the one that an index has for the platform. */
async function choose(
  client: RegistryClient,
  repository: Repository,
  top: Top,
  platform: Platform,
  ref: string,
  signal?: AbortSignal,
): Promise<Manifest> {
  const parsed = parseManifest(top.body, ref);
  if (!("manifests" in parsed)) return parsed;
  const entry = pick(parsed, platform, ref);
  return choose(client, repository, await byDigest(entry.digest), platform, ref, signal);

  async function byDigest(digest: string): Promise<Top> {
    const found = await client.manifest(repository, digest, { signal });
    if (!found) throw new ImageError(`${ref} names a manifest ${digest} that does not exist`, 404);
    return found;
  }
}

/** The entry of an index for a platform. */
export function pick(index: Index, platform: Platform, ref: string): Descriptor {
  const wanted = variantOf(platform);
  const found = index.manifests.find(
    ({ platform: its }) =>
      its?.os === platform.os &&
      its.architecture === platform.architecture &&
      variantOf(its) === wanted,
  );
  if (found) return found;
  const has = index.manifests
    .map(
      ({ platform: its }) =>
        its && [its.os, its.architecture, its.variant].filter(Boolean).join("/"),
    )
    .filter((name) => name && !name.startsWith("unknown"));
  const asked = [platform.os, platform.architecture, platform.variant].filter(Boolean).join("/");
  throw new ImageError(`${ref} has no image for ${asked}; it has: ${has.join(", ") || "none"}`);
}

/** A manifest or an index, by its content. */
export function parseManifest(body: Buffer, ref: string): Manifest | Index {
  let parsed: Partial<Manifest & Index>;
  try {
    parsed = JSON.parse(body.toString()) as Partial<Manifest & Index>;
  } catch (cause) {
    throw new ImageError(`The manifest of ${ref} is not JSON`, undefined, { cause });
  }
  if (Array.isArray(parsed.manifests)) return parsed as Index;
  if (parsed.config && Array.isArray(parsed.layers)) return parsed as Manifest;
  throw new ImageError(
    `${ref} is not an OCI or Docker v2 image (schemaVersion ${String(parsed.schemaVersion)}, ${parsed.mediaType ?? "no media type"})`,
  );
}

function readConfig(blob: Buffer): StoredConfig {
  return JSON.parse(blob.toString()) as StoredConfig;
}

/** arm has variants that are meant when none is named. */
function variantOf({ architecture, variant }: Platform): string {
  const usual: Record<string, string> = { arm64: "v8", arm: "v7" };
  return variant ?? usual[architecture] ?? "";
}

function withDigest(ref: ImageRef, digest: string): string {
  return `${ref.registry}/${ref.repository}${ref.tag ? `:${ref.tag}` : ""}@${digest}`;
}

function fetcher(
  client: RegistryClient,
  repository: Repository,
  store: Store,
  signal?: AbortSignal,
): Fetch {
  return async ({ digest, size }) => {
    if (await store.blobs.has(digest)) return;
    const stream = Readable.from(client.blob(repository, digest, signal), { objectMode: false });
    try {
      await store.blobs.put(stream, { digest, size }, signal);
    } catch (cause) {
      if (cause instanceof ImageError) throw cause;
      signal?.throwIfAborted();
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new ImageError(`The blob ${digest} of ${repository.shown}: ${why}`, undefined, {
        cause,
      });
    }
  };
}
