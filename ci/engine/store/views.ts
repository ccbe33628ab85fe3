import { mkdirSync } from "node:fs";
import { rmdir } from "node:fs/promises";
import { join } from "node:path";

import type { Layers } from "./layers.js";
import type { Mounter } from "./mounter.js";
import { snapshotKey } from "./snapshot.js";
import type { Snapshot } from "./types.js";

interface View {
  readonly ready: Promise<string>;
  readonly target: string;
  readers: number;
}

// An idle view costs a mount and no memory to speak of; making one costs 3 ms.
const MAX_IDLE = 32;

/** Read-only merged views, shared between readers and kept until others are needed more. */
export class Views {
  // In order of last use: Map keeps the order of insertion.
  readonly #views = new Map<string, View>();
  #count = 0;

  constructor(
    private readonly layers: Layers,
    private readonly mounter: Mounter,
    private readonly temporary: string,
    private readonly empty: string,
  ) {}

  async read<T>(snapshot: Snapshot, read: (root: string) => Promise<T>): Promise<T> {
    const [only, more] = snapshot.layers;
    if (only === undefined) return read(this.empty);
    // The lowest layer hides nothing, so it is its own view.
    if (more === undefined) return read(this.layers.path(only));
    const key = snapshotKey(snapshot);
    const view = this.#views.get(key) ?? this.#open(snapshot);
    this.#views.delete(key);
    this.#views.set(key, view);
    view.readers++;
    try {
      return await read(await view.ready);
    } catch (error) {
      await view.ready.catch(() => this.#views.delete(key));
      throw error;
    } finally {
      view.readers--;
      void this.#evict(MAX_IDLE);
    }
  }

  /** Unmounts all that nobody reads. */
  async drop(): Promise<void> {
    await this.#evict(0);
  }

  #open(snapshot: Snapshot): View {
    const target = join(this.temporary, `v-${++this.#count}`);
    const mount = async (): Promise<string> => {
      const { options } = this.layers.options(snapshot);
      mkdirSync(target);
      await this.mounter.mount(`ro,${options}`, target);
      return this.mounter.root + target;
    };
    return { ready: mount(), target, readers: 0 };
  }

  async #evict(keep: number): Promise<void> {
    const idle = [...this.#views].filter(([, view]) => view.readers === 0);
    const surplus = idle.slice(0, Math.max(0, idle.length - keep));
    for (const [key] of surplus) this.#views.delete(key);
    for (const [, { target }] of surplus) {
      // A mount that will not go goes with the process.
      await this.mounter.unmount(target).catch(() => undefined);
      await rmdir(target).catch(() => undefined);
    }
  }
}
