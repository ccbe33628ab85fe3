import { createHash } from "node:crypto";

import type { LayerId, Snapshot } from "./types.js";

/** The empty root. */
export const SCRATCH: Snapshot = { layers: [] };

/** 40 hex digits that stand for the list of layers. */
export function snapshotKey(snapshot: Snapshot): LayerId {
  return layerId("snapshot", ...snapshot.layers);
}

/** A layer id from the parts that determine the layer's content. */
export function layerId(...parts: readonly string[]): LayerId {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 40);
}
