import { rmSync } from "node:fs";

import { TreeError } from "./failure.js";
import { pipe } from "./process.js";
import { joinRaw, toBytes, toText, type Raw } from "./raw.js";
import { peek } from "./resolve.js";
import type { CopyOptions } from "./types.js";
import type { Entry } from "./walk.js";

/** What a container may carry: neither overlay's own notes nor the host's labels. */
export const XATTRS = [
  "--xattrs",
  "--xattrs-include=user.*",
  "--xattrs-include=trusted.*",
  "--xattrs-include=security.capability",
  "--xattrs-exclude=trusted.overlay.*",
] as const;

/**
 * Copies `entries` of the folder `from` into the folder `to` with everything that belongs to a
 * file: mode, owner, times, links among them, xattrs, devices. tar does it, in two processes:
 * it knows all of these, and leaves this process free.
 */
export async function transfer(
  from: Raw,
  to: Raw,
  entries: AsyncIterable<Entry> | Iterable<Entry>,
  options: CopyOptions = {},
): Promise<void> {
  const { owner, permissions, signal } = options;
  const override = [
    ...(owner ? [`--owner=:${owner.uid}`, `--group=:${owner.gid}`] : []),
    ...(permissions !== undefined ? [`--mode=${permissions.toString(8).padStart(4, "0")}`] : []),
  ];
  const replace = options.conflict === "replace";
  const list = clear(to, entries, replace)[Symbol.asyncIterator]();
  const first = await list.next();
  if (first.done) return;
  await pipe(
    [
      "tar",
      ...["--create", "--format=pax", "--numeric-owner", ...XATTRS, ...override],
      ...["--null", "--verbatim-files-from", "--no-recursion", `--directory=${toText(from)}`],
      "--files-from=-",
      "--file=-",
    ],
    [
      "tar",
      ...["--extract", "--numeric-owner", "--same-owner", "--same-permissions", ...XATTRS],
      ...[`--${replace ? "" : "no-"}overwrite-dir`, `--directory=${toText(to)}`, "--file=-"],
    ],
    { input: chain(first.value, list), ...(signal && { signal }) },
  );
}

async function* chain(first: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  for (let step = await rest.next(); !step.done; step = await rest.next()) yield step.value;
}

/** Names for tar's list, in batches, after making sure that nothing of another type is in the way. */
async function* clear(
  to: Raw,
  entries: AsyncIterable<Entry> | Iterable<Entry>,
  replace: boolean,
): AsyncGenerator<Buffer> {
  let batch = "";
  let fresh: Raw | undefined;
  for await (const { path, stat } of entries) {
    // Below a folder that is not there yet, nothing can be in the way.
    if (fresh === undefined || !path.startsWith(`${fresh}/`)) {
      const there = peek(joinRaw(to, path));
      fresh = undefined;
      if (!there) {
        if (stat.isDirectory()) fresh = path;
      } else if (there.isDirectory() !== stat.isDirectory()) {
        if (!replace) throw clash(path, there.isDirectory());
        rmSync(toBytes(joinRaw(to, path)), { recursive: true });
        if (stat.isDirectory()) fresh = path;
      } else if (there.isDirectory() && !replace) {
        continue;
      }
    }
    batch += `./${path}\0`;
    if (batch.length > 60_000) {
      yield toBytes(batch);
      batch = "";
    }
  }
  if (batch) yield toBytes(batch);
}

function clash(path: Raw, folderThere: boolean): TreeError {
  const [has, wants] = folderThere
    ? ["a directory", "something else"]
    : ["not a directory", "a directory"];
  return new TreeError(
    `Cannot copy over ${toText(path)}: it is ${has} at the target, and ${wants} at the source`,
    folderThere ? "EISDIR" : "ENOTDIR",
  );
}
