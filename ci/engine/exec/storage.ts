import type { Blobs, LayerDraft, Snapshot } from "../store/types.js";

/** What executions need of a store; `Store` is one. */
export interface ExecStorage {
  /** A read-only merged view of `snapshot`, valid while `read` runs. */
  view<T>(snapshot: Snapshot, read: (root: string) => Promise<T>): Promise<T>;
  draft(base: Snapshot): Promise<LayerDraft>;
  /** For overlay's `lowerdir`: names relative to `cwd`, top layer first. */
  overlayLowers(snapshot: Snapshot): { cwd: string; lowers: string[] };
  readonly blobs: Pick<Blobs, "put" | "path">;
}
