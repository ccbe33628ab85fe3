import { randomUUID } from "node:crypto";
import { readdirSync } from "node:fs";
import { chmod, lstat, mkdir, rename, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";

import { explain, TreeError } from "./failure.js";
import { merge } from "./merge.js";
import { placeOf, pour } from "./place.js";
import { run } from "./process.js";
import { toBytes, toRaw, type Raw } from "./raw.js";
import { resolveIn } from "./resolve.js";
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
  const place = await placeOf(resolve(hostPath));
  const target = place.path;
  const there = await stat(target).catch(() => undefined);
  const source = await resolveIn(root, path);
  const folder = (await lstat(source)).isDirectory();
  if (there && there.isDirectory() !== folder) {
    const [kind, is] = folder ? ["a directory", "not one"] : ["a file", "a directory"];
    const what = `Cannot export ${kind} to ${hostPath}, which is ${is}`;
    throw new TreeError(what, folder ? "ENOTDIR" : "EISDIR");
  }
  if (place.isStream) {
    await pour(source, place, options.signal);
    return;
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
