import type { Node } from "../graph/node.js";
import type { Lazy } from "./call.js";
import type { Tree } from "./trees.js";

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
