import { createHash, randomUUID } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { access, link, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";

import { codeOf, explain, StoreError } from "./failure.js";
import type { BlobRef, Blobs } from "./types.js";

const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** Contents by their sha256, one file each, written beside and then linked in: whole or not there. */
export class BlobStore implements Blobs {
  constructor(
    readonly folder: string,
    private readonly temporary: string,
  ) {}

  path(digest: string): string {
    if (!DIGEST.test(digest)) {
      throw new StoreError(`"${digest}" is not a sha256 digest (sha256: and 64 hex digits)`);
    }
    return join(this.folder, digest.slice("sha256:".length));
  }

  async has(digest: string): Promise<boolean> {
    return access(this.path(digest)).then(
      () => true,
      () => false,
    );
  }

  open(digest: string, range: { start?: number; end?: number } = {}): Readable {
    return createReadStream(this.path(digest), range);
  }

  read(digest: string): Promise<Buffer> {
    return readFile(this.path(digest));
  }

  async put(
    source: Readable | Buffer,
    expected: { digest?: string; size?: number } = {},
    signal?: AbortSignal,
  ): Promise<BlobRef> {
    const temporary = join(this.temporary, `blob-${randomUUID()}`);
    const hash = createHash("sha256");
    let size = 0;
    const measure = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        hash.update(chunk);
        size += chunk.length;
        // A source that goes on for ever must not fill the disk before it is refused.
        const over = expected.size !== undefined && size > expected.size;
        done(over ? mismatch("size", expected.size, `over ${size - 1}`) : null, chunk);
      },
    });
    try {
      const input = Buffer.isBuffer(source) ? Readable.from([source]) : source;
      await pipeline(input, measure, createWriteStream(temporary), { ...(signal && { signal }) });
      const digest = `sha256:${hash.digest("hex")}`;
      if (expected.size !== undefined && size !== expected.size) {
        throw mismatch("size", expected.size, size);
      }
      if (expected.digest !== undefined && digest !== expected.digest) {
        throw mismatch("digest", expected.digest, digest);
      }
      await link(temporary, this.path(digest)).catch((error: unknown) => {
        if (codeOf(error) !== "EEXIST") throw error;
      });
      return { digest, size };
    } catch (error) {
      throw explain(error, this.folder);
    } finally {
      await rm(temporary, { force: true });
    }
  }
}

function mismatch(what: string, expected: unknown, got: unknown): StoreError {
  return new StoreError(
    `The content has the wrong ${what}: expected ${String(expected)}, got ${String(got)}. It was cut off or changed on the way; nothing of it was kept.`,
    "EBADMSG",
  );
}
