import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { spawn } from "node:child_process";
import { StoreError } from "../store/failure.js";
import { missing, run } from "../store/process.js";
import type { Store } from "../store/store.js";
import { copyTree, resolveIn } from "../store/tree.js";
import { XATTRS } from "../store/transfer.js";
import type { Change } from "./changes.js";
import { copyIdentity } from "./trees.js";
import type { Tree } from "./values.js";

const BLOCK = 512;

/** Programs that unpack a compressed file, by the bytes it begins with. gzip needs none. */
const PROGRAMS: readonly (readonly [magic: string, program: string])[] = [
  ["425a68", "bzip2"],
  ["fd377a585a00", "xz"],
  ["28b52ffd", "zstd"],
];

/** Whether a regular file of the host is a tar archive, compressed or not: its content says, not its name. */
export async function isArchive(file: string): Promise<boolean> {
  const head = await beginning(file);
  const magic = head.toString("hex", 0, 6);
  if (magic.startsWith("1f8b08")) {
    return isHeader(await firstBlock(createReadStream(file).pipe(createGunzip())));
  }
  const program = PROGRAMS.find(([start]) => magic.startsWith(start))?.[1];
  if (program === undefined) return isHeader(head);
  const child = spawn(program, ["-dc", file], { stdio: ["ignore", "pipe", "ignore"] });
  child.once("error", () => child.stdout.destroy(missing(program)));
  try {
    return isHeader(await firstBlock(child.stdout));
  } finally {
    child.kill("SIGKILL");
  }
}

async function beginning(file: string): Promise<Buffer> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(BLOCK), 0, BLOCK, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

async function firstBlock(stream: Readable): Promise<Buffer> {
  let block = Buffer.alloc(0);
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      block = Buffer.concat([block, chunk]);
      if (block.length >= BLOCK) break;
    }
  } catch (error) {
    // Broken compression makes no archive; a program that is not there is worth an error.
    if (error instanceof StoreError) throw error;
  }
  return block.subarray(0, BLOCK);
}

/** A tar header has the sum of its bytes in it, those of the sum counted as blanks. */
function isHeader(block: Buffer): boolean {
  if (block.length < BLOCK) return false;
  const written = /^[\0 ]*([0-7]+)/.exec(block.toString("latin1", 148, 156))?.[1];
  if (written === undefined) return false;
  let plain = 0;
  let signed = 0;
  for (const [index, byte] of block.entries()) {
    const value = index >= 148 && index < 156 ? 0x20 : byte;
    plain += value;
    signed += value > 127 ? value - 256 : value;
  }
  const sum = parseInt(written, 8);
  return sum === plain || sum === signed;
}

/** The content of an archive, put into a directory. Owners and modes are those that the archive says. */
export async function unpackInto(
  store: Store,
  archive: Tree,
  signal: AbortSignal,
): Promise<Change> {
  return {
    identity: ["unpack", await copyIdentity(store, archive)],
    async apply(root, path) {
      // First into a folder of its own, where no link that is there already can lead it astray.
      const draft = await store.draft({ layers: [] });
      try {
        await store.view(archive.snapshot, async (from) => {
          const file = await resolveIn(from, archive.path);
          await run(
            "tar",
            [
              ...["--extract", "--numeric-owner", "--same-owner", "--same-permissions", ...XATTRS],
              `--file=${file}`,
            ],
            { cwd: draft.upper, signal },
          );
        });
        // A device would open the host's: containers get theirs from the runtime.
        await run("find", [".", "(", "-type", "b", "-o", "-type", "c", ")", "-delete"], {
          cwd: draft.upper,
        });
        await copyTree(draft.upper, "/", root, path, { conflict: "replace", signal });
      } finally {
        await draft.discard();
      }
    },
  };
}
