import type { Store } from "../store/store.js";
import { exportLayers } from "./layer-out.js";
import type {
  Descriptor,
  ExportSettings,
  History,
  ImageVariant,
  Index,
  Manifest,
  OciImageConfig,
  Platform,
} from "./types.js";

export interface BuiltImage {
  /** What a tag is to name: the manifest, or the index of several. */
  top: Descriptor;
  /** Everything to be stored before it, blobs and manifests, in that order. */
  blobs: Descriptor[];
  manifests: Descriptor[];
}

const OCI = "application/vnd.oci.image";
const DOCKER = "application/vnd.docker";

/** Layers, configs, manifests and, for several variants, the index of an image, all in the store. */
export async function buildImage(
  store: Store,
  variants: readonly ImageVariant[],
  settings: ExportSettings = {},
): Promise<BuiltImage> {
  const docker = settings.mediaTypes === "docker";
  const blobs: Descriptor[] = [];
  const manifests: Descriptor[] = [];
  for (const { snapshot, config, annotations } of variants) {
    const layers = await exportLayers(store, snapshot, settings);
    const type = docker ? `${DOCKER}.container.image.v1+json` : `${OCI}.config.v1+json`;
    const full = complete(
      config,
      layers.map(({ diffId }) => diffId),
    );
    const configBlob = await putJson(store, full, type);
    const descriptors = layers.map(({ descriptor }) => typed(descriptor, docker));
    const mediaType = docker
      ? `${DOCKER}.distribution.manifest.v2+json`
      : `${OCI}.manifest.v1+json`;
    const manifest: Manifest = {
      schemaVersion: 2,
      mediaType,
      config: configBlob,
      layers: descriptors,
      ...(annotations && Object.keys(annotations).length > 0 && { annotations }),
    };
    blobs.push(...descriptors, configBlob);
    manifests.push({
      ...(await putJson(store, manifest, mediaType)),
      platform: platformOf(config),
    });
  }
  const [only, ...more] = manifests;
  if (only && more.length === 0) {
    const { mediaType, digest, size } = only;
    return { top: { mediaType, digest, size }, blobs, manifests: [] };
  }
  const mediaType = docker
    ? `${DOCKER}.distribution.manifest.list.v2+json`
    : `${OCI}.index.v1+json`;
  const index: Index = { schemaVersion: 2, mediaType, manifests };
  return { top: await putJson(store, index, mediaType), blobs, manifests };
}

async function putJson(store: Store, value: unknown, mediaType: string): Promise<Descriptor> {
  return { mediaType, ...(await store.blobs.put(Buffer.from(JSON.stringify(value)))) };
}

function platformOf({ os, architecture, variant }: OciImageConfig): Platform {
  return { os, architecture, ...(variant && { variant }) };
}

/** The config with its layers; one history entry for each layer, or none at all. */
function complete(config: OciImageConfig, diffIds: string[]): object {
  const { created, author, architecture, os, variant, config: run, history = [], ...rest } = config;
  const filled = history.filter((entry) => !entry.empty_layer).length;
  const missing: History[] = Array.from({ length: Math.max(0, diffIds.length - filled) }, () => ({
    ...(created && { created }),
    created_by: "slipway",
  }));
  return {
    ...rest,
    ...(created && { created }),
    ...(author && { author }),
    architecture,
    os,
    ...(variant && { variant }),
    config: run ?? {},
    rootfs: { type: "layers", diff_ids: diffIds },
    ...(filled <= diffIds.length && { history: [...history, ...missing] }),
  };
}

/** The same blob under the media type that the manifest's family has for it. */
function typed({ mediaType, digest, size }: Descriptor, docker: boolean): Descriptor {
  const [, how = ""] = /(?:\+|\.tar\.)(gzip|zstd)$/.exec(mediaType) ?? [];
  const oci = `${OCI}.layer.v1.tar${how ? `+${how}` : ""}`;
  const other = `${DOCKER}.image.rootfs.diff.tar${how ? `.${how}` : ""}`;
  return { mediaType: docker ? other : oci, digest, size };
}
