import { randomUUID } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { readFile, rename, rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

import { explain } from "../store/failure.js";
import { run } from "../store/process.js";
import { SCRATCH } from "../store/snapshot.js";
import type { Store } from "../store/store.js";
import { resolveIn } from "../store/tree.js";
import { ImageError } from "./failure.js";
import { buildImage, type BuiltImage } from "./manifest.js";
import { parseManifest, pick, unpackImage, type PulledImage } from "./pull.js";
import { padding, TAR_END, tarHeader } from "./tar.js";
import type {
  Descriptor,
  ExportSettings,
  ImageVariant,
  Index,
  Manifest,
  Platform,
} from "./types.js";

const REF_NAME = "org.opencontainers.image.ref.name";

/**
 * Writes an OCI layout tar to `file`, with Docker's manifest.json beside it when there is one
 * variant. Equal images give equal bytes. The file appears when it is complete.
 */
export async function imageTarball(
  store: Store,
  file: string,
  variants: readonly ImageVariant[],
  settings: ExportSettings & { tag?: string } = {},
): Promise<void> {
  const image = await buildImage(store, variants, settings);
  const temporary = `${file}.${randomUUID().slice(0, 8)}`;
  try {
    const content = Readable.from(layout(store, image, settings.tag), { objectMode: false });
    const { signal } = settings;
    await pipeline(content, createWriteStream(temporary), { ...(signal && { signal }) });
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw explain(error, file);
  }
}

async function* layout(
  store: Store,
  image: BuiltImage,
  tag: string | undefined,
): AsyncGenerator<Buffer> {
  const { top, blobs, manifests } = image;
  const json = (name: string, value: unknown): Buffer => small(name, JSON.stringify(value));
  yield json("oci-layout", { imageLayoutVersion: "1.0.0" });
  const named = tag ? { ...top, annotations: { ...top.annotations, [REF_NAME]: tag } } : top;
  yield json("index.json", {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.index.v1+json",
    manifests: [named],
  });
  if (manifests.length === 0) {
    const { config, layers } = JSON.parse(String(await store.blobs.read(top.digest))) as Manifest;
    const entry = {
      Config: blobPath(config.digest),
      RepoTags: tag ? [tag] : null,
      Layers: layers.map(({ digest }) => blobPath(digest)),
    };
    yield json("manifest.json", [entry]);
  }
  yield tarHeader({ name: "blobs", type: "directory", mode: 0o755 });
  yield tarHeader({ name: "blobs/sha256", type: "directory", mode: 0o755 });
  const unique = new Map([...blobs, ...manifests, top].map(({ digest, size }) => [digest, size]));
  for (const [digest, size] of [...unique].sort()) {
    yield tarHeader({ name: blobPath(digest), type: "file", mode: 0o644, size });
    yield* store.blobs.open(digest) as AsyncIterable<Buffer>;
    yield padding(size);
  }
  yield TAR_END;
}

function small(name: string, text: string): Buffer {
  const body = Buffer.from(text);
  const header = tarHeader({ name, type: "file", mode: 0o644, size: body.length });
  return Buffer.concat([header, body, padding(body.length)]);
}

function blobPath(digest: string): string {
  return `blobs/${digest.replace(":", "/")}`;
}

/**
 * Reads an OCI layout or `docker save` archive (also gzipped) at `file`.
 *
 * @throws ImageError when it is neither, or has no image for the platform or tag.
 */
export async function importTarball(
  store: Store,
  file: string,
  platform: Platform,
  options: { tag?: string; signal?: AbortSignal } = {},
): Promise<PulledImage> {
  const draft = await store.draft(SCRATCH);
  const folder = draft.upper;
  try {
    const abort = options.signal ? { signal: options.signal } : {};
    await run(
      "tar",
      ["--extract", `--file=${file}`, `--directory=${folder}`, "--no-same-owner"],
      abort,
    );
    const index = await readJson<Index>(folder, "index.json");
    const archive = index
      ? await fromLayout(folder, index, platform, options.tag, file)
      : await fromDocker(folder, store, options.tag, file);
    const fetch = async ({ digest, size }: Descriptor): Promise<void> => {
      const path = await resolveIn(folder, archive.path(digest));
      await store.blobs.put(createReadStream(path), { digest, size }, options.signal);
    };
    const image = await unpackImage(store, archive.manifest, fetch, options.signal);
    return { ...image, digest: archive.digest, ref: archive.digest };
  } catch (error) {
    if (error instanceof Error && error.message.startsWith("tar failed")) {
      throw new ImageError(`${file} is not a tar archive: ${error.message}`, undefined, {
        cause: error,
      });
    }
    throw error;
  } finally {
    await draft.discard();
  }
}

interface Archive {
  digest: string;
  manifest: Manifest;
  path: (digest: string) => string;
}

async function fromLayout(
  folder: string,
  index: Index,
  platform: Platform,
  tag: string | undefined,
  file: string,
): Promise<Archive> {
  const tagged = index.manifests.filter(({ annotations }) => annotations?.[REF_NAME] === tag);
  const candidates = tag === undefined ? index.manifests : tagged;
  const [only, ...more] = candidates;
  if (!only) throw new ImageError(`${file} has no image${tag ? ` with the tag "${tag}"` : ""}`);
  const top = more.length > 0 ? pick({ ...index, manifests: candidates }, platform, file) : only;
  let { digest } = top;
  for (;;) {
    const path = await resolveIn(folder, blobPath(digest));
    const parsed = parseManifest(await readFile(path), file);
    if (!("manifests" in parsed)) return { digest: top.digest, manifest: parsed, path: blobPath };
    digest = pick(parsed, platform, file).digest;
  }
}

/** `docker save` before OCI layouts: files by any name, layers as plain tar. */
async function fromDocker(
  folder: string,
  store: Store,
  tag: string | undefined,
  file: string,
): Promise<Archive> {
  interface Saved {
    Config: string;
    Layers: string[];
    RepoTags?: string[] | null;
  }
  const list = await readJson<Saved[]>(folder, "manifest.json");
  const entry = list?.find(({ RepoTags }) => tag === undefined || RepoTags?.includes(tag));
  if (!entry) {
    throw new ImageError(
      `${file} is no image archive${tag ? ` with the tag "${tag}"` : ""}: it has neither index.json nor a matching manifest.json`,
    );
  }
  const names = new Map<string, string>();
  const describe = async (name: string, mediaType: string): Promise<Descriptor> => {
    const blob = await store.blobs.put(createReadStream(await resolveIn(folder, name)));
    names.set(blob.digest, name);
    return { mediaType, ...blob };
  };
  const config = await describe(entry.Config, "application/vnd.oci.image.config.v1+json");
  const layers: Descriptor[] = [];
  for (const name of entry.Layers) {
    layers.push(await describe(name, "application/vnd.oci.image.layer.v1.tar"));
  }
  const manifest: Manifest = { schemaVersion: 2, config, layers };
  return { digest: config.digest, manifest, path: (digest) => names.get(digest) ?? "" };
}

async function readJson<T>(folder: string, name: string): Promise<T | undefined> {
  const path = await resolveIn(folder, name).catch(() => undefined);
  return path === undefined ? undefined : (JSON.parse(await readFile(path, "utf8")) as T);
}
