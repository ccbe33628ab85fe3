import { randomUUID } from "node:crypto";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  utimesSync,
  writeFileSync,
  type Stats,
} from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";

import { codeOf, explain, StoreError } from "./failure.js";
import { run } from "./process.js";
import type { LayerDraft, LayerId, Snapshot } from "./types.js";

const ID = /^[0-9a-f]{40}$/;

// Layers hold whole files and whole folders: no layer depends on where its neighbours lie.
const OVERLAY = "index=off,metacopy=off,redirect_dir=nofollow";

// mount(2) takes one page of options.
const MAX_OPTIONS = 4095;

const ROOT_MODE = 0o755;

/**
 * The layers' folder. A layer is a folder with overlayfs's own notation for what is removed, moved
 * into place when it is complete. A file in the folder's place says that the work changed nothing.
 */
export class Layers {
  /** Layers seen in place; they stay, for nothing is removed while this process holds its lease. */
  readonly #known = new Map<LayerId, "layer" | "nothing">();

  constructor(
    readonly folder: string,
    private readonly temporary: string,
  ) {}

  forget(): void {
    this.#known.clear();
  }

  path(id: LayerId): string {
    if (!ID.test(id)) throw new StoreError(`"${id}" is not a layer id (40 hexadecimal characters)`);
    return join(this.folder, id);
  }

  state(id: LayerId): "layer" | "nothing" | undefined {
    const known = this.#known.get(id);
    if (known) return known;
    const stat = lstatSync(this.path(id), { throwIfNoEntry: false });
    if (!stat) return undefined;
    const state = stat.isDirectory() ? "layer" : "nothing";
    this.#known.set(id, state);
    return state;
  }

  lookup(base: Snapshot, id: LayerId): Snapshot | undefined {
    const state = this.state(id);
    if (!state) return undefined;
    return state === "layer" ? { layers: [...base.layers, id] } : base;
  }

  draft(base: Snapshot): Draft {
    try {
      return new Draft(this, base, join(this.temporary, `d-${randomUUID().slice(0, 13)}`));
    } catch (error) {
      throw explain(error, this.folder);
    }
  }

  /** Moves a complete folder into place, unless another process was first. */
  keep(id: LayerId, folder: string): void {
    try {
      renameSync(folder, this.path(id));
    } catch (error) {
      if (!["ENOTEMPTY", "EEXIST", "ENOTDIR"].includes(codeOf(error) ?? "")) {
        throw explain(error, this.folder);
      }
    }
  }

  keepNothing(id: LayerId): void {
    try {
      writeFileSync(this.path(id), "", { flag: "wx" });
    } catch (error) {
      if (codeOf(error) !== "EEXIST" && codeOf(error) !== "EISDIR") {
        throw explain(error, this.folder);
      }
    }
  }

  lowers(snapshot: Snapshot): { cwd: string; lowers: string[] } {
    for (const id of snapshot.layers) this.path(id);
    const lowers = [...snapshot.layers].reverse();
    return { cwd: this.folder, lowers: lowers.length > 0 ? lowers : ["../empty"] };
  }

  /** Options of an overlay mount, every name relative to `cwd`, so that no path needs escaping. */
  options(snapshot: Snapshot, draft?: LayerDraft): { cwd: string; options: string } {
    const { cwd, lowers } = this.lowers(snapshot);
    const relative = (path: string): string =>
      `../${path.slice(join(this.folder, "..").length + 1)}`;
    const writable = draft
      ? `,upperdir=${relative(draft.upper)},workdir=${relative(draft.work)},volatile`
      : "";
    const options = `lowerdir=${lowers.join(":")}${writable},${OVERLAY}`;
    if (options.length > MAX_OPTIONS) {
      throw new StoreError(
        `A file system of ${lowers.length} layers cannot be mounted; compact() it first`,
      );
    }
    return { cwd, options };
  }
}

/**
 * A layer in the making, in a folder that is removed with its process's lease. Its calls are
 * synchronous: a dozen of some microseconds each, for which the thread pool would take longer.
 */
export class Draft implements LayerDraft {
  readonly upper: string;
  readonly work: string;
  /** An empty folder, to mount on. */
  readonly target: string;

  constructor(
    private readonly layers: Layers,
    readonly base: Snapshot,
    private readonly folder: string,
  ) {
    this.upper = join(folder, "u");
    this.work = join(folder, "w");
    this.target = join(folder, "m");
    for (const path of [folder, this.upper, this.work, this.target]) mkdirSync(path);
    // The root of a merged view has the attributes of the uppermost layer's root.
    const root = this.#baseRoot();
    if (root) {
      chownSync(this.upper, root.uid, root.gid);
      utimesSync(this.upper, root.atime, root.mtime);
    }
    chmodSync(this.upper, (root?.mode ?? ROOT_MODE) & 0o7777);
  }

  isEmpty(): Promise<boolean> {
    return Promise.resolve(this.#isEmpty());
  }

  commit(id: LayerId): Promise<Snapshot> {
    return Promise.resolve().then(() => {
      if (this.#isEmpty()) this.layers.keepNothing(id);
      else this.layers.keep(id, this.upper);
      // Nobody waits for the rest to go. With the content away, its names are only ours and
      // overlayfs's; what fails goes with the lease.
      const rest = existsSync(this.upper)
        ? this.discard()
        : rm(this.folder, { recursive: true, force: true });
      rest.catch(() => undefined);
      const snapshot = this.layers.lookup(this.base, id);
      if (!snapshot) throw new StoreError(`Layer ${id} vanished while it was stored`);
      return snapshot;
    });
  }

  async discard(): Promise<void> {
    // rm, for names that are no UTF-8 and folders that nobody may enter.
    await run("rm", ["-rf", "--one-file-system", "--", this.folder]);
  }

  #isEmpty(): boolean {
    if (readdirSync(this.upper).length > 0) return false;
    const before = this.#baseRoot();
    const after = lstatSync(this.upper);
    const sameOwner = after.uid === (before?.uid ?? 0) && after.gid === (before?.gid ?? 0);
    return sameOwner && (after.mode & 0o7777) === ((before?.mode ?? ROOT_MODE) & 0o7777);
  }

  #baseRoot(): Stats | undefined {
    const top = this.base.layers.at(-1);
    return top === undefined ? undefined : lstatSync(this.layers.path(top));
  }
}
