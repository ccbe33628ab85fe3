import type { Readable } from "node:stream";

/** 40 hexadecimal characters: the key of the work that made the layer, given by the caller. */
export type LayerId = string;

/** A file system: layers, lowest first. `{ layers: [] }` is scratch, an empty root. */
export interface Snapshot {
  readonly layers: readonly LayerId[];
}

/** A blob in the store: `digest` is `sha256:<64 hex>`, `size` is in bytes. */
export interface BlobRef {
  readonly digest: string;
  readonly size: number;
}

/** What changes a root file system outside of the store, such as the run of a process. */
export interface LayerDraft {
  /** Absolute paths for an overlay mount: what is written lands in `upper`. */
  readonly upper: string;
  readonly work: string;
  /** True when `upper` holds nothing, and its root is as the base's. */
  isEmpty(): Promise<boolean>;
  /** Keeps `upper` as layer `id`; call it after the overlay is unmounted. Returns the base with it on top (or the base, if empty). */
  commit(id: LayerId): Promise<Snapshot>;
  discard(): Promise<void>;
}

/** Which entries of a tree take part. Patterns are .dockerignore's, relative to the tree. */
export interface TreeFilter {
  include?: readonly string[];
  exclude?: readonly string[];
  /** Obeys the `.gitignore` files in the tree, and above it where it is a part of another one. */
  gitignore?: boolean;
}

export interface Owner {
  uid: number;
  gid: number;
}

export interface CopyOptions extends TreeFilter {
  owner?: Owner;
  /** Mode of what is copied, e.g. 0o644; default: as in the source. */
  permissions?: number;
  /**
   * What stands in the way with another type: refused with a message (default), or replaced. With
   * the latter, folders that are there get mode, owner and times of the source's.
   */
  conflict?: "error" | "replace";
  signal?: AbortSignal;
}

export interface ImportOptions extends TreeFilter {
  /** The folder, this one or one above it, from which on `.gitignore` files count. */
  top?: string;
  /** Reads every file again, whatever its times say. */
  noCache?: boolean;
  signal?: AbortSignal;
}

export interface ExportOptions {
  /** Removes what the target folder has and the source has not. */
  wipe?: boolean;
  permissions?: number;
  signal?: AbortSignal;
}

export interface Blobs {
  /** Stores a stream, checking it on the way: a wrong digest or size leaves nothing behind. */
  put(
    source: Readable | Buffer,
    expected?: { digest?: string; size?: number },
    signal?: AbortSignal,
  ): Promise<BlobRef>;
  open(digest: string, range?: { start?: number; end?: number }): Readable;
  read(digest: string): Promise<Buffer>;
  path(digest: string): string;
  has(digest: string): Promise<boolean>;
}

export interface Refs {
  layers?: readonly LayerId[];
  blobs?: readonly string[];
}

export interface Memos {
  /** The value, or undefined when there is none or anything it refers to is gone. Counts as a use. */
  get(key: string): Promise<unknown>;
  /** The last thing to write: all that `refs` names must be in the store. */
  set(key: string, value: unknown, refs: Refs): Promise<void>;
}

export interface StoreStatus {
  root: string;
  bytes: number;
  budget: number;
  layers: number;
  blobs: number;
  volumes: number;
  memos: number;
  /** Process ids that use the store now, this one included. */
  leases: number[];
}

export interface PruneResult {
  freedBytes: number;
  bytes: number;
  memos: number;
  layers: number;
  blobs: number;
  volumes: number;
}
