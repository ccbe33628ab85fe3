import type {
  Blobs,
  CopyOptions,
  ExportOptions,
  ImportOptions,
  LayerDraft,
  LayerId,
  Memos,
  PruneResult,
  Snapshot,
  StoreStatus,
} from "./types.js";

/** Layers, blobs and memos of one engine root, shared by any number of processes. */
export declare class Store {
  readonly root: string;
  readonly blobs: Blobs;
  readonly memo: Memos;
  /** Persistent directories of cache volumes, made when first asked for. */
  readonly volumes: { path(key: string): Promise<string> };

  static open(root: string, options?: { budgetBytes?: number }): Promise<Store>;
  close(): Promise<void>;

  /** The base with layer `id` on top, when that layer was made before (or the base, when it changed nothing). */
  lookup(base: Snapshot, id: LayerId): Promise<Snapshot | undefined>;
  mutate(
    base: Snapshot,
    id: LayerId,
    change: (root: string) => Promise<void>,
    signal?: AbortSignal,
  ): Promise<Snapshot>;
  view<T>(snapshot: Snapshot, read: (root: string) => Promise<T>): Promise<T>;
  /** `base` is what the draft's overlay is mounted over. */
  draft(base: Snapshot): Promise<LayerDraft>;
  overlayLowers(snapshot: Snapshot): { cwd: string; lowers: string[] };
  /** Options of one overlay mount, all names relative to `cwd`; read-only without a draft. */
  overlayOptions(snapshot: Snapshot, draft?: LayerDraft): { cwd: string; options: string };
  compact(snapshot: Snapshot): Promise<Snapshot>;
  importHost(path: string, options?: ImportOptions): Promise<Snapshot>;
  exportTo(
    snapshot: Snapshot,
    path: string,
    hostPath: string,
    options?: ExportOptions,
  ): Promise<void>;
  status(): Promise<StoreStatus>;
  prune(options?: { all?: boolean; toBytes?: number }): Promise<PruneResult>;
}

export declare const SCRATCH: Snapshot;
export declare function snapshotKey(snapshot: Snapshot): string;
export type { CopyOptions };
