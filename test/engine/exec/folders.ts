import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import {
  chmod,
  copyFile,
  mkdir,
  readdir,
  readFile,
  rm,
  stat,
  utimes,
  symlink,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ExecStorage } from "../../../ci/engine/exec/storage.js";
import type { BlobRef, LayerDraft, Snapshot } from "../../../ci/engine/store/types.js";

/** A store of plain folders: a snapshot is at most one layer, so that its folder is its merged view. */
export class Folders implements ExecStorage {
  private made = 0;

  constructor(readonly root: string) {}

  static async create(root: string): Promise<Folders> {
    for (const name of ["layers", "drafts", "blobs", "empty"]) {
      await mkdir(join(root, name), { recursive: true });
    }
    return new Folders(root);
  }

  /** A snapshot with what `fill` puts into its folder. */
  async layer(name: string, fill: (folder: string) => Promise<void>): Promise<Snapshot> {
    const folder = join(this.root, "layers", name);
    await mkdir(folder);
    await fill(folder);
    return { layers: [name] };
  }

  view<T>({ layers }: Snapshot, read: (root: string) => Promise<T>): Promise<T> {
    return read(
      layers[0] === undefined ? join(this.root, "empty") : join(this.root, "layers", layers[0]),
    );
  }

  async draft({ layers }: Snapshot): Promise<LayerDraft> {
    const folder = join(this.root, "drafts", String(++this.made));
    const [upper, work] = [join(folder, "u"), join(folder, "w")];
    await mkdir(upper, { recursive: true });
    await mkdir(work);
    // As in the store: the root of a merged view is as the uppermost layer's.
    if (layers[0] !== undefined) {
      const { mode, atimeMs, mtimeMs } = await stat(join(this.root, "layers", layers[0]));
      await chmod(upper, mode);
      await utimes(upper, atimeMs / 1000, mtimeMs / 1000);
    }
    return {
      upper,
      work,
      isEmpty: async () => (await readdir(upper)).length === 0,
      commit: () => Promise.reject(new Error("not part of these tests")),
      discard: () => rm(folder, { recursive: true, force: true }),
    };
  }

  overlayLowers({ layers }: Snapshot): { cwd: string; lowers: string[] } {
    return {
      cwd: join(this.root, "layers"),
      lowers: layers[0] === undefined ? ["../empty"] : [layers[0]],
    };
  }

  readonly blobs = {
    put: async (source: Readable | Buffer): Promise<BlobRef> => {
      const file = join(this.root, "blobs", `new-${++this.made}`);
      const hash = createHash("sha256");
      let size = 0;
      const chunks = Buffer.isBuffer(source) ? Readable.from([source]) : source;
      await pipeline(
        chunks,
        async function* (all: AsyncIterable<Buffer>) {
          for await (const chunk of all) {
            hash.update(chunk);
            size += chunk.length;
            yield chunk;
          }
        },
        createWriteStream(file),
      );
      const digest = `sha256:${hash.digest("hex")}`;
      await copyFile(file, this.blobs.path(digest));
      await rm(file);
      return { digest, size };
    },
    path: (digest: string): string => join(this.root, "blobs", digest),
  };

  async text(blob: BlobRef): Promise<string> {
    return readFile(this.blobs.path(blob.digest), "utf8");
  }

  stream(blob: BlobRef): Readable {
    return createReadStream(this.blobs.path(blob.digest));
  }
}

/** The smallest root file system with a shell: busybox, two users, a folder for everyone. */
export async function busyboxRoot(folder: string): Promise<void> {
  for (const name of ["bin", "etc", "tmp", "root", "home/app", "dev", "proc", "sys"]) {
    await mkdir(join(folder, name), { recursive: true });
  }
  await chmod(join(folder, "tmp"), 0o1777);
  await copyFile("/usr/bin/busybox", join(folder, "bin/busybox"));
  const applets = execFileSync("/usr/bin/busybox", ["--list"], { encoding: "utf8" });
  for (const name of applets.trim().split("\n")) {
    if (name !== "busybox") await symlink("busybox", join(folder, "bin", name));
  }
  await writeFile(join(folder, "bin/no-interpreter"), "#!/nope\n", { mode: 0o755 });
  await writeFile(join(folder, "bin/garbage"), "\u0001\u0002", { mode: 0o755 });
  await writeFile(
    join(folder, "etc/passwd"),
    "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n",
  );
  await writeFile(join(folder, "etc/group"), "root:x:0:\napp:x:1000:\nextra:x:2000:app\n");
}
