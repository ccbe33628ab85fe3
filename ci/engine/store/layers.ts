import { randomUUID } from "node:crypto";
import { chmod, chown, lstat, mkdir, readdir, rename, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { codeOf, explain, StoreError } from "./failure.js";
import { run } from "./process.js";
import type { LayerDraft, LayerId, Snapshot } from "./types.js";

const ID = /^[0-9a-f]{40}$/;

// Layers hold whole files and whole folders: no layer depends on where its neighbours lie.
const OVERLAY = "index=off,metacopy=off,redirect_dir=nofollow";

// mount(2) takes one page of options.
const MAX_OPTIONS = 4095;

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

  async state(id: LayerId): Promise<"layer" | "nothing" | undefined> {
    const known = this.#known.get(id);
    if (known) return known;
    const stat = await lstat(this.path(id)).catch((error: unknown) => {
      if (codeOf(error) === "ENOENT") return undefined;
      throw error;
    });
    if (!stat) return undefined;
    const state = stat.isDirectory() ? "layer" : "nothing";
    this.#known.set(id, state);
    return state;
  }

  async lookup(base: Snapshot, id: LayerId): Promise<Snapshot | undefined> {
    const state = await this.state(id);
    if (!state) return undefined;
    return state === "layer" ? { layers: [...base.layers, id] } : base;
  }

  async draft(base: Snapshot): Promise<Draft> {
    try {
      return await Draft.create(this, base, join(this.temporary, `d-${randomUUID().slice(0, 13)}`));
    } catch (error) {
      throw explain(error, this.folder);
    }
  }

  /** Moves a complete folder into place, unless another process was first. */
  async keep(id: LayerId, folder: string): Promise<void> {
    try {
      await rename(folder, this.path(id));
    } catch (error) {
      if (!["ENOTEMPTY", "EEXIST", "ENOTDIR"].includes(codeOf(error) ?? "")) {
        throw explain(error, this.folder);
      }
    }
  }

  async keepNothing(id: LayerId): Promise<void> {
    await writeFile(this.path(id), "", { flag: "wx" }).catch((error: unknown) => {
      if (codeOf(error) !== "EEXIST" && codeOf(error) !== "EISDIR") {
        throw explain(error, this.folder);
      }
    });
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

/** A layer in the making, in a folder that is removed with its process's lease. */
export class Draft implements LayerDraft {
  readonly upper: string;
  readonly work: string;
  /** An empty folder, to mount on. */
  readonly target: string;

  private constructor(
    private readonly layers: Layers,
    readonly base: Snapshot,
    private readonly folder: string,
  ) {
    this.upper = join(folder, "u");
    this.work = join(folder, "w");
    this.target = join(folder, "m");
  }

  static async create(layers: Layers, base: Snapshot, folder: string): Promise<Draft> {
    const draft = new Draft(layers, base, folder);
    await mkdir(folder);
    await Promise.all([draft.upper, draft.work, draft.target].map((path) => mkdir(path)));
    // The root of a merged view has the attributes of the uppermost layer's root.
    const top = base.layers.at(-1);
    if (top === undefined) {
      await chmod(draft.upper, 0o755);
    } else {
      const root = await lstat(layers.path(top));
      await chown(draft.upper, root.uid, root.gid);
      await chmod(draft.upper, root.mode & 0o7777);
      await utimes(draft.upper, root.atimeMs / 1000, root.mtimeMs / 1000);
    }
    return draft;
  }

  async isEmpty(): Promise<boolean> {
    if ((await readdir(this.upper)).length > 0) return false;
    const top = this.base.layers.at(-1);
    const [before, after] = await Promise.all([
      top === undefined ? undefined : lstat(this.layers.path(top)),
      lstat(this.upper),
    ]);
    const same = (key: "uid" | "gid"): boolean => after[key] === (before?.[key] ?? 0);
    return (
      same("uid") && same("gid") && (after.mode & 0o7777) === ((before?.mode ?? 0o755) & 0o7777)
    );
  }

  async commit(id: LayerId): Promise<Snapshot> {
    if (await this.isEmpty()) await this.layers.keepNothing(id);
    else await this.layers.keep(id, this.upper);
    // Nobody waits for the rest to go; what fails goes with the lease.
    this.discard().catch(() => undefined);
    const snapshot = await this.layers.lookup(this.base, id);
    if (!snapshot) throw new StoreError(`Layer ${id} vanished while it was stored`);
    return snapshot;
  }

  async discard(): Promise<void> {
    // rm, for names that are no UTF-8 and folders that nobody may enter.
    await run("rm", ["-rf", "--one-file-system", "--", this.folder]);
  }
}
