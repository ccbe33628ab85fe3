import { chmodSync, chownSync, rmSync } from "node:fs";

import { TreeError } from "./failure.js";
import { pipe } from "./process.js";
import { joinRaw, toBytes, toText, type Raw } from "./raw.js";
import { peek, resolveRaw } from "./resolve.js";
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
  options: TransferOptions = {},
): Promise<void> {
  const { owner, permissions, signal } = options;
  const override = [
    ...(owner ? [`--owner=:${owner.uid}`, `--group=:${owner.gid}`] : []),
    ...(permissions !== undefined ? [`--mode=${permissions.toString(8).padStart(4, "0")}`] : []),
  ];
  const replace = options.conflict === "replace";
  const linked: Linked[] = [];
  const list = clear(to, entries, options, linked)[Symbol.asyncIterator]();
  const first = await list.next();
  if (!first.done)
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
  for (const { path, stat, target, below } of linked) {
    if (target !== options.root) {
      chownSync(toBytes(target), owner?.uid ?? stat.uid, owner?.gid ?? stat.gid);
      chmodSync(toBytes(target), permissions ?? stat.mode & 0o7777);
    }
    await transfer(joinRaw(from, path), target, below, options);
  }
}

export interface TransferOptions extends CopyOptions {
  /** With `conflict: "replace"`: links to folders below this root are followed for folders. */
  root?: Raw;
}

/** A folder of the source where the target has a link to one, which gets what is below it. */
interface Linked extends Entry {
  readonly target: Raw;
  readonly below: Entry[];
}

async function* chain(first: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  for (let step = await rest.next(); !step.done; step = await rest.next()) yield step.value;
}

/**
 * Names for tar's list, in batches, after making sure that nothing of another type is in the way.
 * What goes through a link at the target is put into `linked` and left out.
 */
async function* clear(
  to: Raw,
  entries: AsyncIterable<Entry> | Iterable<Entry>,
  options: TransferOptions,
  linked: Linked[],
): AsyncGenerator<Buffer> {
  const replace = options.conflict === "replace";
  let batch = "";
  let fresh: Raw | undefined;
  for await (const { path, stat } of entries) {
    const link = linked.at(-1);
    if (link && path.startsWith(`${link.path}/`)) {
      link.below.push({ path: path.slice(link.path.length + 1), stat });
      continue;
    }
    // Below a folder that is not there yet, nothing can be in the way.
    if (fresh === undefined || !path.startsWith(`${fresh}/`)) {
      const there = peek(joinRaw(to, path));
      fresh = undefined;
      if (!there) {
        if (stat.isDirectory()) fresh = path;
      } else if (there.isDirectory() !== stat.isDirectory()) {
        if (!replace) throw clash(path, there.isDirectory());
        const target = there.isSymbolicLink() && followed(joinRaw(to, path), options.root);
        if (target) {
          linked.push({ path, stat, target, below: [] });
          continue;
        }
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

/** The folder that a link leads to inside of `root`. */
function followed(link: Raw, root: Raw | undefined): Raw | undefined {
  if (root === undefined) return undefined;
  const target = resolveRaw(root, link.slice(root.length), { missing: "allow" });
  return peek(target)?.isDirectory() ? target : undefined;
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
