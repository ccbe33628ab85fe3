import { existsSync } from "node:fs";
import { mkdir, utimes, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";

import { BlobStore } from "./blobs.js";
import { compact } from "./compact.js";
import { exportTree } from "./export.js";
import { codeOf, explain, StoreError } from "./failure.js";
import { HostImport } from "./import.js";
import { Layers, type Draft } from "./layers.js";
import { inUse, Lease } from "./lease.js";
import { MemoStore } from "./memos.js";
import { prune, sizes, type Folders } from "./prune.js";
import { layerId } from "./snapshot.js";
import type {
  Blobs,
  ExportOptions,
  ImportOptions,
  LayerDraft,
  LayerId,
  Memos,
  PruneResult,
  Refs,
  Snapshot,
  StoreStatus,
} from "./types.js";
import { measure, memoFiles, sum } from "./usage.js";
import { Views } from "./views.js";

const GIB = 1024 ** 3;
const DEFAULT_BUDGET = 20 * GIB;
// Pruned to a little less than the budget, so that not every run has to.
const AFTER_PRUNE = 0.8;

/**
 * Layers, blobs, memos and volumes of one engine, in one folder, shared by any number of processes.
 * Everything appears by a rename when it is complete, and a memo is written last: a process that is
 * killed leaves only its temporary folder, which the next one to open the store removes.
 */
export class Store {
  readonly blobs: Blobs;
  readonly memo: Memos;
  /** Persistent directories of cache volumes, made when first asked for. */
  readonly volumes = { path: (key: string): Promise<string> => this.#volume(key) };
  readonly #layers: Layers;
  readonly #views: Views;
  readonly #hosts: HostImport;
  readonly #making = new Map<string, Promise<Snapshot>>();
  #active = 0;

  private constructor(
    /** The store's folder. */
    readonly root: string,
    private readonly budget: number,
    private readonly folders: Folders,
    private readonly lease: Lease,
  ) {
    const { temporary, mounter } = lease;
    this.#layers = new Layers(folders.layers, temporary);
    this.#views = new Views(this.#layers, mounter, temporary, join(root, "empty"));
    this.#hosts = new HostImport(this.#layers, folders.host, temporary);
    this.blobs = new BlobStore(folders.blobs, temporary);
    this.memo = new MemoStore(folders.memos, temporary, (refs) => this.#present(refs));
  }

  /** Opens (and makes) the store at `root`, and holds a lease on it until close. Waits while it is pruned. */
  static async open(root: string, options: { budgetBytes?: number } = {}): Promise<Store> {
    if (process.getuid?.() !== 0) {
      throw new StoreError(
        "The embedded engine's store mounts overlays, which needs root. Run it as root, or use Dagger's engine (--engine dagger).",
        "EPERM",
      );
    }
    const at = resolve(root);
    const folders: Folders = {
      layers: join(at, "layers"),
      blobs: join(at, "blobs"),
      memos: join(at, "memos"),
      volumes: join(at, "volumes"),
      host: join(at, "host"),
      layerSizes: join(at, "layers.json"),
      blobSizes: join(at, "blobs.json"),
    };
    try {
      await mkdir(at, { recursive: true, mode: 0o700 });
      for (const folder of [
        "layers",
        "blobs",
        "memos",
        "volumes",
        "host",
        "tmp",
        "leases",
        "empty",
      ]) {
        await mkdir(join(at, folder), { recursive: true });
      }
    } catch (error) {
      throw explain(error, at);
    }
    return new Store(
      at,
      options.budgetBytes ?? DEFAULT_BUDGET,
      folders,
      await Lease.take(at, folders.layers),
    );
  }

  /** Folder for what the store's user makes and need not keep; it goes with the lease, however that ends. */
  get temporary(): string {
    return this.lease.temporary;
  }

  /** Gives the lease back; a store over its budget is pruned first, if nobody else uses it. */
  async close(): Promise<void> {
    try {
      if (this.#active === 0 && (await this.#overBudget())) {
        await this.prune({ toBytes: this.budget * AFTER_PRUNE });
      }
    } catch (error) {
      // In use elsewhere: the last one to close prunes.
      if (codeOf(error) !== "EBUSY") throw error;
    } finally {
      await this.#views.drop();
      await this.lease.release();
    }
  }

  /** The base with layer `id` on top when that was made before (the base when it changed nothing). */
  lookup(base: Snapshot, id: LayerId): Promise<Snapshot | undefined> {
    return Promise.resolve().then(() => this.#layers.lookup(base, id));
  }

  /**
   * Runs `change` on a writable merged view of `base`, a folder for plain file calls, and keeps what
   * it changed as layer `id`. Work with an id that exists is not done again. Links inside of the
   * view must be resolved with resolveIn: an absolute one would lead to the host.
   */
  mutate(
    base: Snapshot,
    id: LayerId,
    change: (root: string) => Promise<void>,
    signal?: AbortSignal,
  ): Promise<Snapshot> {
    const key = [...base.layers, id].join();
    const running = this.#making.get(key);
    if (running) return running;
    const made = this.#busy(() => this.#mutate(base, id, change, signal)).finally(() => {
      this.#making.delete(key);
    });
    this.#making.set(key, made);
    return made;
  }

  /** Runs `read` on a read-only merged view, which stays mounted for a while for the next reader. */
  view<T>(snapshot: Snapshot, read: (root: string) => Promise<T>): Promise<T> {
    return this.#busy(() => this.#views.read(snapshot, read));
  }

  /** Folder of a layer that is in the store, in overlayfs's notation; not to be written to. */
  layerPath(id: LayerId): string {
    return this.#layers.path(id);
  }

  /** A layer to be made outside of the store, over `base`. */
  draft(base: Snapshot): Promise<Draft> {
    return Promise.resolve().then(() => this.#layers.draft(base));
  }

  /** The layers as overlayfs wants them, uppermost first, relative to `cwd`. */
  overlayLowers(snapshot: Snapshot): { cwd: string; lowers: string[] } {
    return this.#layers.lowers(snapshot);
  }

  /** Options for `mount -t overlay`, run in `cwd`; read-only without a draft. */
  overlayOptions(snapshot: Snapshot, draft?: LayerDraft): { cwd: string; options: string } {
    return this.#layers.options(snapshot, draft);
  }

  /** The same file system in at most 64 layers. */
  compact(snapshot: Snapshot): Promise<Snapshot> {
    return this.#busy(() => compact(this.#layers, snapshot));
  }

  /**
   * Brings a folder's content (or one file, under its name) of the host into a snapshot, owned by
   * root. The same content gives the same snapshot. Files are read again only when their times,
   * size or inode changed since the last import.
   */
  importHost(path: string, options: ImportOptions = {}): Promise<Snapshot> {
    return this.#busy(async () => {
      const { snapshot, key } = await this.#hosts.read(path, options);
      // Counts as a use: the next import shares its unchanged files with this layer.
      await this.memo.set(`import ${key}`, snapshot, { layers: snapshot.layers });
      return snapshot;
    });
  }

  /** Writes `path` of a snapshot to the host: a file to that name, a folder's content into it. */
  exportTo(
    snapshot: Snapshot,
    path: string,
    hostPath: string,
    options: ExportOptions = {},
  ): Promise<void> {
    return this.view(snapshot, (root) => exportTree(root, path, hostPath, options));
  }

  async status(): Promise<StoreStatus> {
    const { layers, blobs, volumes } = await sizes(this.folders, this.lease.temporary);
    return {
      root: this.root,
      bytes: sum(layers) + sum(blobs) + sum(volumes),
      budget: this.budget,
      layers: layers.size,
      blobs: blobs.size,
      volumes: volumes.size,
      memos: (await memoFiles(this.folders.memos)).length,
      leases: await this.lease.holders(),
    };
  }

  /**
   * Removes what was not used for longest until `toBytes` (default: the budget) are left, or all.
   *
   * @throws StoreError (EBUSY) while another process, or work in this one, uses the store.
   */
  async prune(options: { all?: boolean; toBytes?: number } = {}): Promise<PruneResult> {
    if (this.#active > 0) throw inUse(this.root, `${this.#active} operations of this process`);
    await this.#views.drop();
    try {
      return await this.lease.exclusively(() => {
        const toBytes = options.all ? 0 : (options.toBytes ?? this.budget);
        return prune(this.folders, this.lease.temporary, toBytes);
      });
    } finally {
      this.#layers.forget();
    }
  }

  async #mutate(
    base: Snapshot,
    id: LayerId,
    change: (root: string) => Promise<void>,
    signal?: AbortSignal,
  ): Promise<Snapshot> {
    const done = this.#layers.lookup(base, id);
    if (done) return done;
    signal?.throwIfAborted();
    const draft = await this.draft(base);
    try {
      if (base.layers.length === 0) {
        await change(draft.upper);
      } else {
        const { options } = this.#layers.options(base, draft);
        await this.lease.mounter.mount(options, draft.target);
        try {
          await change(this.lease.mounter.root + draft.target);
        } finally {
          await this.lease.mounter.unmount(draft.target);
        }
      }
      signal?.throwIfAborted();
      return await draft.commit(id);
    } catch (error) {
      await draft.discard();
      throw error;
    }
  }

  async #busy<T>(work: () => Promise<T>): Promise<T> {
    this.#active++;
    try {
      return await work();
    } catch (error) {
      throw explain(error, this.root);
    } finally {
      this.#active--;
    }
  }

  #present({ layers = [], blobs = [] }: Refs): boolean {
    return (
      layers.every((id) => this.#layers.state(id) !== undefined) &&
      blobs.every((digest) => existsSync(this.blobs.path(digest)))
    );
  }

  async #volume(key: string): Promise<string> {
    const folder = join(this.folders.volumes, layerId("volume", key));
    const data = join(folder, "data");
    await mkdir(data, { recursive: true });
    await writeFile(join(folder, "key"), key);
    await utimes(folder, Date.now() / 1000, Date.now() / 1000);
    return data;
  }

  async #overBudget(): Promise<boolean> {
    // Volumes change all the time and are large: they are measured once this much is known.
    const { layers, blobs, layerSizes, blobSizes } = this.folders;
    const { temporary } = this.lease;
    const layerBytes = sum(await measure(layers, { file: layerSizes, temporary }));
    return layerBytes + sum(await measure(blobs, { file: blobSizes, temporary })) > this.budget;
  }
}
