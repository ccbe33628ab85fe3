import type { Readable } from "node:stream";

/** What executions need of a store; `Store` in ../store is one. */
export interface ExecStorage {
  /** A read-only merged view of `snapshot`, valid while `read` runs. */
  view<T>(snapshot: Snapshot, read: (root: string) => Promise<T>): Promise<T>;
  draft(): Promise<LayerDraft>;
  /** For overlay's `lowerdir`: names relative to `cwd`, top layer first. */
  overlayLowers(snapshot: Snapshot): { cwd: string; lowers: string[] };
  readonly blobs: {
    put(source: Readable | Buffer): Promise<BlobRef>;
    path(digest: string): string;
  };
}

/** Layers, lowest first; none is an empty file system. */
export interface Snapshot {
  readonly layers: readonly string[];
}

/** A layer in the making: what overlay writes into. */
export interface LayerDraft {
  readonly upper: string;
  readonly work: string;
  isEmpty(): Promise<boolean>;
  discard(): Promise<void>;
}

/** A blob in the store. `size` is in bytes. */
export interface BlobRef {
  readonly digest: string;
  readonly size: number;
}
