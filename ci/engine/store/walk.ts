import { lstatSync, readdirSync, type Stats } from "node:fs";

import { Filter } from "./filter.js";
import { breather, joinRaw, toBytes, toText, type Raw } from "./raw.js";
import type { TreeFilter } from "./types.js";

export interface Entry {
  /** Relative to the walk's root, never empty. */
  readonly path: Raw;
  readonly stat: Stats;
}

/**
 * All entries below `root` that the filter takes, in byte order, a folder before what is in it.
 * A folder that is not taken itself comes when something below it does.
 *
 * @param top The folder, `root` or one above it, from which on .gitignore files count.
 */
export async function* walk(
  root: Raw,
  options: TreeFilter = {},
  signal?: AbortSignal,
  top: Raw = root,
): AsyncGenerator<Entry> {
  const own = root.slice(top.length).replace(/^\//, "");
  const filter = new Filter(options, own);
  if (own !== "")
    for (const folder of foldersAbove(own)) filter.obey(toText(folder), joinRaw(top, folder));
  const breathe = breather(signal);
  const names = (folder: Raw): Raw[] => {
    const list = readdirSync(toBytes(joinRaw(root, folder)), { encoding: "latin1" }).sort();
    filter.enter(folder, list, joinRaw(root, folder));
    return list;
  };
  // An explicit stack: trees can be deeper than nested generators are cheap. `own` is the
  // folder's entry while it waits for something below it to be taken.
  const stack: Frame[] = [{ folder: "", list: names(""), next: 0, own: undefined }];
  for (let top = stack.at(-1); top; top = stack.at(-1)) {
    const name = top.list[top.next++];
    if (name === undefined) {
      stack.pop();
      continue;
    }
    const path = joinRaw(top.folder, name);
    const pause = breathe();
    if (pause) await pause;
    const entry = { path, stat: lstatSync(toBytes(joinRaw(root, path))) };
    const folder = entry.stat.isDirectory();
    const verdict = filter.judge(path, folder);
    if (verdict.take && !entry.stat.isSocket()) {
      for (const frame of stack) {
        if (frame.own) yield frame.own;
        frame.own = undefined;
      }
      yield entry;
    }
    if (folder && verdict.descend) {
      const waiting = verdict.take ? undefined : entry;
      stack.push({ folder: path, list: names(path), next: 0, own: waiting });
    }
  }
}

/** Of `a/b/c`: itself left out, from the top down. */
function foldersAbove(path: Raw): Raw[] {
  const names = path.split("/");
  return names.map((_, depth) => names.slice(0, depth).join("/"));
}

interface Frame {
  folder: Raw;
  list: Raw[];
  next: number;
  own: Entry | undefined;
}
