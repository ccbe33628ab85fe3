import { createHash, randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
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
    private readonly present: (refs: Refs) => boolean,
  ) {}

  get(key: string): Promise<unknown> {
    return Promise.resolve().then(() => {
      const path = this.#path(key);
      const memo = readMemo(path);
      if (memo?.key !== key || !this.present(memo.refs)) return undefined;
      const now = Date.now();
      if (now - statSync(path).mtimeMs > FRESH_MS) utimesSync(path, now / 1000, now / 1000);
      return memo.value;
    });
  }

  async set(key: string, value: unknown, refs: Refs): Promise<void> {
    if (!this.present(refs)) {
      throw new StoreError(`Memo ${key} names a layer or blob that is not in the store`);
    }
    const path = this.#path(key);
    const temporary = join(this.temporary, `memo-${randomUUID()}`);
    try {
      writeFileSync(temporary, JSON.stringify({ key, value, refs } satisfies Memo));
      mkdirSync(dirname(path), { recursive: true });
      renameSync(temporary, path);
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
export function readMemo(path: string): Memo | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Memo;
  } catch (error) {
    if (codeOf(error) === "ENOENT" || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
