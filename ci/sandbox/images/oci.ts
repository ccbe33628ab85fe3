import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, mkdirSync } from "node:fs";
import { mkdir, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";

import type { Architecture } from "../architecture.js";

/** Seconds of the epoch that everything in an image claims to be from: 2026-01-01. */
export const SOURCE_DATE_EPOCH = 1_767_225_600;

/** Annotation that carries the digest of the recipe an image was made by. */
export const RECIPE = "io.slipway.recipe";

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const INDEX = "application/vnd.oci.image.index.v1+json";

export interface Descriptor {
  mediaType: string;
  digest: string;
  /** Bytes. */
  size: number;
  platform?: { os: "linux"; architecture: Architecture };
}

/** A compressed layer in a layout. */
export interface Layer extends Descriptor {
  /** Digest of the layer before compression. */
  diffId: string;
}

/** What one platform's image is made of. */
export interface ImageParts {
  architecture: Architecture;
  /** The lowest first. */
  layers: Layer[];
  env?: Record<string, string>;
  cmd?: string[];
  entrypoint?: string[];
  workdir?: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

/** An OCI image layout in a folder, written blob by blob. */
export class Layout {
  constructor(readonly folder: string) {}

  /** Compresses a tar stream into a layer; nothing of it is held in memory. */
  async addLayer(tar: Readable): Promise<Layer> {
    // At once: Node throws away what a process printed when that ends before anybody reads.
    mkdirSync(this.#blobs(), { recursive: true });
    const draft = join(this.#blobs(), `draft-${process.hrtime.bigint()}`);
    const plain = createHash("sha256");
    const packed = createHash("sha256");
    const compressed = new PassThrough();
    compressed.on("data", (chunk: Buffer) => packed.update(chunk));
    await pipeline(
      tar,
      async function* (source: AsyncIterable<Buffer>) {
        for await (const chunk of source) {
          plain.update(chunk);
          yield chunk;
        }
      },
      createGzip({ level: 6 }),
      compressed,
      createWriteStream(draft),
    );
    const hex = packed.digest("hex");
    await rename(draft, join(this.#blobs(), hex));
    return {
      mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
      digest: `sha256:${hex}`,
      size: (await stat(join(this.#blobs(), hex))).size,
      diffId: `sha256:${plain.digest("hex")}`,
    };
  }

  /** Writes configuration and manifest of an image. */
  async addImage(parts: ImageParts): Promise<Descriptor> {
    const { architecture, layers, env, cmd, entrypoint, workdir, labels, annotations } = parts;
    const created = new Date(SOURCE_DATE_EPOCH * 1000).toISOString().replace(".000", "");
    const config = await this.#addJson("application/vnd.oci.image.config.v1+json", {
      created,
      architecture,
      os: "linux",
      config: {
        Env: Object.entries(env ?? {}).map(([name, value]) => `${name}=${value}`),
        ...(entrypoint && { Entrypoint: entrypoint }),
        ...(cmd && { Cmd: cmd }),
        ...(workdir !== undefined && { WorkingDir: workdir }),
        Labels: labels,
      },
      rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
      history: [{ created, created_by: labels["org.opencontainers.image.description"] }],
    });
    const manifest = await this.#addJson(MANIFEST, {
      schemaVersion: 2,
      mediaType: MANIFEST,
      config,
      layers: layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
      annotations,
    });
    return { ...manifest, platform: { os: "linux", architecture } };
  }

  /** Writes the manifest of an artifact that is no image: one blob, and no configuration to speak of. */
  async addArtifact(
    configType: string,
    layer: Layer & { annotations: object },
  ): Promise<Descriptor> {
    const config = await this.#addJson(configType, {});
    const { mediaType, digest, size, annotations } = layer;
    return await this.#addJson(MANIFEST, {
      schemaVersion: 2,
      mediaType: MANIFEST,
      config,
      layers: [{ mediaType, digest, size, annotations }],
    });
  }

  /** Writes an index over the images of several platforms. */
  async addIndex(
    manifests: Descriptor[],
    annotations: Record<string, string>,
  ): Promise<Descriptor> {
    return await this.#addJson(INDEX, {
      schemaVersion: 2,
      mediaType: INDEX,
      manifests,
      annotations,
    });
  }

  /** Makes `root` what the layout is about, which completes it. */
  async finish(root: Descriptor): Promise<void> {
    const index = { schemaVersion: 2, mediaType: INDEX, manifests: [root] };
    await writeFile(join(this.folder, "index.json"), JSON.stringify(index));
    await writeFile(join(this.folder, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  }

  async #addJson(mediaType: string, value: unknown): Promise<Descriptor> {
    const text = JSON.stringify(value);
    const hex = createHash("sha256").update(text).digest("hex");
    await mkdir(this.#blobs(), { recursive: true });
    await writeFile(join(this.#blobs(), hex), text);
    return { mediaType, digest: `sha256:${hex}`, size: Buffer.byteLength(text) };
  }

  #blobs(): string {
    return join(this.folder, "blobs", "sha256");
  }
}

/** SHA-256 of a file, in hexadecimal. */
export async function sha256(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}
