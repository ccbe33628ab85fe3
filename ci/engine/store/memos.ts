import { createHash, randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { codeOf, explain, StoreError } from "./failure.js";
import type { Memos, Refs } from "./types.js";

export interface Memo {
  key: string;
  value: unknown;
  refs: Refs;
}

// The order of use matters to the minute; not each use is worth a write.
const FRESH_MS = 60_000;

/** What was computed, by key: one JSON file each, its modification time the last use. */
export class MemoStore implements Memos {
  constructor(
    readonly folder: string,
    private readonly temporary: string,
    private readonly present: (refs: Refs) => Promise<boolean>,
  ) {}

  async get(key: string): Promise<unknown> {
    const path = this.#path(key);
    const record = await readMemo(path);
    if (record?.key !== key || !(await this.present(record.refs))) return undefined;
    const now = Date.now();
    const { mtimeMs } = await stat(path);
    if (now - mtimeMs > FRESH_MS) await utimes(path, now / 1000, now / 1000);
    return record.value;
  }

  async set(key: string, value: unknown, refs: Refs): Promise<void> {
    if (!(await this.present(refs))) {
      throw new StoreError(`Memo ${key} names a layer or blob that is not in the store`);
    }
    const path = this.#path(key);
    const temporary = join(this.temporary, `memo-${randomUUID()}`);
    try {
      await writeFile(temporary, JSON.stringify({ key, value, refs } satisfies Memo));
      await mkdir(dirname(path), { recursive: true });
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw explain(error, this.folder);
    }
  }

  #path(key: string): string {
    const name = createHash("sha256").update(key).digest("hex");
    return join(this.folder, name.slice(0, 2), name.slice(2));
  }
}

/** A memo file's content, or undefined when it is not there or cannot be read as one. */
export async function readMemo(path: string): Promise<Memo | undefined> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as Memo;
  } catch (error) {
    if (codeOf(error) === "ENOENT" || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
