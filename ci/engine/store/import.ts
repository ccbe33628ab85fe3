import { createHash, randomUUID } from "node:crypto";
import { chmodSync, linkSync, lutimesSync, type Stats } from "node:fs";
import { readFile, realpath, rename, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import { codeOf, StoreError, TreeError } from "./failure.js";
import type { Layers } from "./layers.js";
import { breather, joinRaw, toBytes, toRaw, type Raw } from "./raw.js";
import { peek } from "./resolve.js";
import { layerId, SCRATCH } from "./snapshot.js";
import { transfer } from "./transfer.js";
import { digestFile, line, readLink } from "./tree.js";
import type { ImportOptions, LayerId, Snapshot } from "./types.js";
import { walk, type Entry } from "./walk.js";
import { readXattrs } from "./xattr.js";

/** What was read at the last import of a folder: files whose times are the same are not read again. */
interface Seen {
  layer: LayerId;
  /** path, size, mtime, ctime, inode and device, digest. */
  files: [Raw, string, string][];
}

interface Item extends Entry {
  readonly signature: string;
  /** Digest of content and xattrs. */
  digest: string;
  /** Unchanged since the import that made the layer `Seen.layer`. */
  readonly known: boolean;
}

// Two writes within one tick of the clock leave the same time.
const TICK_MS = 100;
const ATTEMPTS = 3;
const ROOT_OWNER = { uid: 0, gid: 0 };

/** Brings folders and files of the host into layers; equal content gives the same layer. */
export class HostImport {
  constructor(
    private readonly layers: Layers,
    private readonly folder: string,
    private readonly temporary: string,
  ) {}

  async read(path: string, options: ImportOptions): Promise<{ snapshot: Snapshot; key: string }> {
    const at = await realpath(path).catch((error: unknown) => {
      if (codeOf(error) !== "ENOENT" && codeOf(error) !== "ENOTDIR") throw error;
      throw new TreeError(`The host's ${path} does not exist`, "ENOENT");
    });
    const { include, exclude, gitignore, top } = options;
    const key = layerId("host", at, JSON.stringify([include, exclude, gitignore, top]));
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const snapshot = await this.#attempt(at, key, options);
      if (snapshot) return { snapshot, key };
    }
    throw new StoreError(
      `${path} is being changed while it is read, ${ATTEMPTS} times in a row; stop what writes there, or leave it out with an exclude pattern`,
      "EAGAIN",
    );
  }

  async #attempt(at: string, key: string, options: ImportOptions): Promise<Snapshot | undefined> {
    const folder = (await stat(at)).isDirectory();
    const root = folder ? at : dirname(at);
    const seen = await this.#load(key);
    const files = new Map(
      seen?.files.map(([path, signature, digest]) => [path, { signature, digest }]),
    );
    const entries = folder
      ? walk(toRaw(root), options, options.signal, toRaw(options.top ?? root))
      : single(at);
    const items: Item[] = [];
    for await (const { path, stat } of entries) {
      const signature = sign(stat);
      const before = files.get(path);
      const known = before?.signature === signature && !options.noCache;
      const readable = stat.isFile() && !known;
      const digest = known
        ? before.digest
        : readable
          ? await digestFile(joinRaw(toRaw(root), path), stat.size)
          : "";
      items.push({ path, stat, signature, digest, known });
    }
    await this.#addXattrs(root, items);
    const id = digestItems(root, items);
    if (!this.layers.state(id)) {
      const complete = await this.#copy(id, root, items, seen?.layer, options);
      if (!complete) return undefined;
    }
    if (seen?.layer !== id || items.some((item) => !item.known)) await this.#save(key, id, items);
    return this.layers.lookup(SCRATCH, id);
  }

  async #addXattrs(root: string, items: readonly Item[]): Promise<void> {
    const unknown = items.filter(({ known, stat }) => !known && !stat.isSymbolicLink());
    if (unknown.length === 0) return;
    const attributes = await readXattrs(
      root,
      unknown.map(({ path }) => path),
    );
    for (const item of unknown) {
      const values = attributes.get(item.path)?.values;
      if (!values?.size) continue;
      const pairs = [...values].map(([name, value]) => `${name}=${value.toString("hex")}`).sort();
      item.digest += `+${createHash("sha256").update(pairs.join("\n")).digest("hex")}`;
    }
  }

  /** Makes the layer; false when the source changed meanwhile. */
  async #copy(
    id: LayerId,
    root: string,
    items: readonly Item[],
    previous: LayerId | undefined,
    { signal }: ImportOptions,
  ): Promise<boolean> {
    const draft = this.layers.draft(SCRATCH);
    try {
      const upper = toRaw(draft.upper);
      const link = previous !== undefined && this.layers.state(previous) === "layer";
      const old = link ? toRaw(this.layers.path(previous)) : undefined;
      const linked =
        old === undefined ? [] : items.filter(({ known, stat }) => known && stat.isFile());
      const rest = linked.length > 0 ? items.filter((i) => !i.known || !i.stat.isFile()) : items;
      await transfer(toRaw(root), upper, rest, { owner: ROOT_OWNER, ...(signal && { signal }) });
      const breathe = breather(signal);
      // Layers never change, so unchanged files are shared with the layer before.
      for (const { path } of linked) {
        linkSync(toBytes(joinRaw(old ?? "", path)), toBytes(joinRaw(upper, path)));
        await breathe();
      }
      for (const { path, stat } of linked.length > 0 ? rest : []) {
        if (stat.isDirectory()) lutimesSync(toBytes(joinRaw(upper, path)), stat.atime, stat.mtime);
      }
      chmodSync(draft.upper, 0o755);
      for (const { path, stat, signature } of items) {
        const now = stat.isDirectory() ? stat : peek(joinRaw(toRaw(root), path));
        if (!now || (!stat.isDirectory() && sign(now) !== signature)) return false;
        await breathe();
      }
      await draft.commit(id);
      return true;
    } catch (error) {
      // tar's word for a file that shrank or went away under its hands.
      if (
        /file changed as we read it|Cannot (stat|open).*No such file|shrank by/.test(String(error))
      ) {
        return false;
      }
      throw error;
    } finally {
      await draft.discard();
    }
  }

  async #load(key: string): Promise<Seen | undefined> {
    try {
      return JSON.parse(await readFile(join(this.folder, key), "latin1")) as Seen;
    } catch {
      // A cache: when it cannot be read, everything is read again.
      return undefined;
    }
  }

  async #save(key: string, layer: LayerId, items: readonly Item[]): Promise<void> {
    const settled = Date.now() - TICK_MS;
    const files = items
      .filter(({ stat }) => stat.ctimeMs < settled)
      .map(({ path, signature, digest }) => [path, signature, digest]);
    const temporary = join(this.temporary, `host-${randomUUID()}`);
    await writeFile(temporary, JSON.stringify({ layer, files }), "latin1");
    await rename(temporary, join(this.folder, key));
  }
}

function* single(path: string): Generator<Entry> {
  const stat = peek(toRaw(path));
  if (stat) yield { path: toRaw(basename(path)), stat };
}

function sign(stat: Stats): string {
  return [stat.mode, stat.size, stat.mtimeMs, stat.ctimeMs, stat.ino, stat.dev].join(" ");
}

function digestItems(root: string, items: readonly Item[]): LayerId {
  const hash = createHash("sha256");
  for (const item of items) {
    const { path, stat, digest } = item;
    const owned = { path, stat: Object.assign(Object.create(stat) as Stats, ROOT_OWNER) };
    hash.update(line(owned, digest, readLink(joinRaw(toRaw(root), path), item), true));
  }
  return layerId("imported", hash.digest("hex"));
}
