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
  readonly source: Node | undefined;
  readonly sharing: "SHARED" | "PRIVATE" | "LOCKED";
  readonly owner: string;
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
