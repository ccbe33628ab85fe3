import type { Store } from "../store/store.js";
import type { Snapshot } from "../store/types.js";
import type {
  Descriptor,
  ExportSettings,
  ImageRef,
  ImageVariant,
  Manifest,
  OciImageConfig,
  Platform,
  RegistryOptions,
} from "./types.js";

export declare function parseRef(ref: string): ImageRef;
export declare class RegistryClient {
  constructor(options?: RegistryOptions);
  /** The manifest of `ref` for `platform`. */
  resolve(
    ref: string,
    platform: Platform,
    signal?: AbortSignal,
  ): Promise<{ digest: string; manifest: Manifest; config: OciImageConfig }>;
  /** Digest of what `ref` names now (an index or a manifest), undefined if it does not exist. */
  digestOf(ref: string, signal?: AbortSignal): Promise<string | undefined>;
  close(): Promise<void>;
}
export interface PulledImage {
  snapshot: Snapshot;
  config: OciImageConfig;
  digest: string;
  /** canonical, with digest */ ref: string;
}
export declare function pull(
  client: RegistryClient,
  ref: string,
  platform: Platform,
  store: Store,
  signal?: AbortSignal,
): Promise<PulledImage>;
export declare function exportLayers(
  store: Store,
  snapshot: Snapshot,
  settings?: ExportSettings,
): Promise<{ descriptor: Descriptor; diffId: string }[]>;
/** Pushes one image, or an index when there are several variants. Returns the canonical reference with digest. */
export declare function pushImage(
  client: RegistryClient,
  store: Store,
  ref: string,
  variants: readonly ImageVariant[],
  settings?: ExportSettings,
): Promise<{ ref: string; digest: string }>;
/** An OCI layout tar (with Docker's manifest.json beside it, when there is one variant) at `file`. */
export declare function imageTarball(
  store: Store,
  file: string,
  variants: readonly ImageVariant[],
  settings?: ExportSettings & { tag?: string },
): Promise<void>;
/** Reads an OCI layout or `docker save` tar at `file`. */
export declare function importTarball(
  store: Store,
  file: string,
  platform: Platform,
  options?: { tag?: string; signal?: AbortSignal },
): Promise<PulledImage>;
