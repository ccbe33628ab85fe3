import type { Node } from "../graph/node.js";
import type { Snapshot } from "../store/types.js";
import type { Lazy } from "./lazy.js";

export interface DirectoryValue {
  readonly tree: Lazy<Tree>;
}

export interface FileValue {
  readonly tree: Lazy<Tree>;
}

export interface SecretValue {
  readonly name: string;
  readonly uri: string;
  plaintext(): Promise<Buffer>;
}

export interface CacheVolumeValue {
  readonly key: string;
  readonly source?: Node | undefined;
  readonly sharing?: Sharing | undefined;
  readonly owner?: string | undefined;
}

export type Sharing = "SHARED" | "PRIVATE" | "LOCKED";

/** A volume where it is mounted: what is said of it there counts before what it was given itself. */
export interface MountedVolume extends Omit<CacheVolumeValue, "key"> {
  readonly volume: Node;
}

export interface PortValue {
  readonly port: number;
  readonly protocol: "TCP" | "UDP";
  readonly description: string | null;
  readonly experimentalSkipHealthcheck: boolean;
}

export interface PortForward {
  readonly frontend?: number;
  readonly backend: number;
  readonly protocol: "TCP" | "UDP";
}

/** A directory or file: where it lies in a stack of layers. */
export interface Tree {
  readonly snapshot: Snapshot;
  readonly path: string;
  /** The time that withTimestamps gave everything: part of what a copy is, unlike other times. */
  readonly stamp?: number | undefined;
}
