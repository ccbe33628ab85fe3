import { randomUUID } from "node:crypto";
import { readdirSync, renameSync } from "node:fs";
import { chmod, lstat, mkdir, rename, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";

import { explain, TreeError } from "./failure.js";
import { run } from "./process.js";
import { joinRaw, toBytes, toRaw, type Raw } from "./raw.js";
import { peek, resolveIn } from "./resolve.js";
import { copyTree } from "./tree.js";
import type { ExportOptions } from "./types.js";

/**
 * Writes `path` of the tree `root` to the host. A file appears at once or not at all; a folder's
 * content is written beside its target first and then moved over what is there, so that a full
 * disk or an interruption while writing leaves the target as it was.
 */
export async function exportTree(
  root: string,
  path: string,
  hostPath: string,
  options: ExportOptions = {},
): Promise<void> {
  const target = resolve(hostPath);
  const there = await stat(target).catch(() => undefined);
  const folder = (await lstat(await resolveIn(root, path))).isDirectory();
  if (there && there.isDirectory() !== folder) {
    const [kind, is] = folder ? ["a directory", "not one"] : ["a file", "a directory"];
    const what = `Cannot export ${kind} to ${hostPath}, which is ${is}`;
    throw new TreeError(what, folder ? "ENOTDIR" : "EISDIR");
  }
  await mkdir(dirname(target), { recursive: true });
  // Inside of an existing folder: it may be a mount point, and a rename does not cross mounts.
  const beside = there && folder ? target : dirname(target);
  const temporary = join(beside, `.${basename(target)}.slipway-${randomUUID().slice(0, 8)}`);
  try {
    await copyTree(root, path, "/", temporary, {
      owner: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
      ...(options.permissions !== undefined && { permissions: options.permissions }),
      ...(options.signal && { signal: options.signal }),
    });
    if (there && folder) {
      if (options.wipe) await wipe(target, basename(temporary));
      merge(toRaw(temporary), toRaw(target));
    } else {
      if (folder) await chmod(temporary, 0o755);
      await rename(temporary, target);
    }
  } catch (error) {
    throw explain(error, target);
  } finally {
    await remove(beside, [toRaw(basename(temporary))]);
  }
}

async function wipe(folder: string, except: string): Promise<void> {
  const names = readdirSync(folder, { encoding: "latin1" });
  await remove(
    folder,
    names.filter((name) => name !== toRaw(except)),
  );
}

async function remove(folder: string, names: readonly Raw[]): Promise<void> {
  const input = names.map((name) => toBytes(`./${name}\0`));
  await run("xargs", ["-0", "-r", "rm", "-rf", "--"], { cwd: folder, input });
}

/** Moves what is in `from` into `to`; files replace, folders that both have are merged. */
function merge(from: Raw, to: Raw): void {
  for (const name of readdirSync(toBytes(from), { encoding: "latin1" })) {
    const [source, target] = [joinRaw(from, name), joinRaw(to, name)];
    const [moving, there] = [peek(source), peek(target)];
    if (moving?.isDirectory() && there?.isDirectory()) {
      merge(source, target);
      continue;
    }
    if (there && moving?.isDirectory() !== there.isDirectory()) {
      // Out of the way, into the temporary folder, which is removed.
      const aside = `${from}/.replaced-${randomUUID()}`;
      renameSync(toBytes(target), toBytes(aside));
    }
    renameSync(toBytes(source), toBytes(target));
  }
}
