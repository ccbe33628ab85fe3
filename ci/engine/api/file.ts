import { readFile, stat } from "node:fs/promises";
import { basename, posix } from "node:path";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { EngineError } from "../graph/errors.js";
import type { Call, Fields } from "../session.js";
import { chownAll, newFile, timestamps, type Change } from "./changes.js";
import { copyFile } from "./copying.js";
import { stamped } from "./directory-changes.js";
import { statIn } from "./inspect.js";
import { lazy } from "./lazy.js";
import { changeTree, contentDigest, parseOwner, readTree, scratch } from "./trees.js";
import type { Tree, FileValue } from "./values.js";

/** What GraphQL can carry as one string. */
const MAX_CONTENTS = 128 << 20;

export async function readContents(call: Call, tree: Tree): Promise<Buffer> {
  return readTree(call.session.engine.store, tree, async (host) => {
    const { size } = await stat(host);
    if (size > MAX_CONTENTS) {
      throw new EngineError(
        `file ${posix.basename(tree.path)} is too large to be returned: ${size} bytes, at most ${MAX_CONTENTS}; export it or mount it instead`,
      );
    }
    return readFile(host);
  });
}

/** A file that stands alone: `name` in an otherwise empty tree. */
async function alone(call: Call, name: string, change: Change, signal: AbortSignal): Promise<Tree> {
  const path = `/${name}`;
  const tree = await changeTree(
    call.session.engine.store,
    scratch,
    [path, change.identity],
    (root) => change.apply(root, path),
    signal,
  );
  return { ...tree, path };
}

export function newFileValue(
  call: Call,
  name: string,
  contents: string,
  permissions: number,
): FileValue {
  if (name === "") throw new EngineError("a file needs a name");
  if (name.includes("/")) {
    throw new EngineError(`file name ${JSON.stringify(name)} must not contain a directory`);
  }
  return {
    tree: lazy(call, (signal) => alone(call, name, newFile(contents, { permissions }), signal)),
  };
}

/** The file after `change`, in a tree of its own. */
function changedFile(
  self: FileValue,
  call: Call,
  change: (tree: Tree) => Promise<Change>,
  name?: string,
): FileValue {
  return {
    tree: lazy(call, async (signal) => {
      const tree = await self.tree(signal);
      const target = name ?? basename(tree.path);
      const { store } = call.session.engine;
      const copied = await alone(call, target, await copyFile(store, tree, {}), signal);
      const next = await change(tree);
      return changeTree(
        store,
        { ...copied, stamp: tree.stamp },
        next.identity,
        (root) => next.apply(root, copied.path),
        signal,
      );
    }),
  };
}

export const fileFields: Fields<FileValue> = {
  "contents(offsetLines: Int, limitLines: Int): String!": async (
    self,
    args: { offsetLines?: number; limitLines?: number },
    call,
  ) => {
    const text = (await readContents(call, await self.tree(call.signal))).toString("utf8");
    if (args.offsetLines === undefined && args.limitLines === undefined) return text;
    const lines = text.split(/(?<=\n)/);
    const start = args.offsetLines ?? 0;
    const end = args.limitLines === undefined ? lines.length : start + args.limitLines;
    return lines.slice(start, end).join("");
  },
  "size: Int!": async (self, _args: object, call) =>
    readTree(
      call.session.engine.store,
      await self.tree(call.signal),
      async (host) => (await stat(host)).size,
    ),
  "name: String!": async (self, _args: object, call) =>
    posix.basename((await self.tree(call.signal)).path),
  "stat: Stat": async (self, _args: object, call) =>
    statIn(call, await self.tree(call.signal), "/", true),
  "digest(excludeMetadata: Boolean = false): String!": async (
    self,
    args: { excludeMetadata: boolean },
    call,
  ) => {
    const tree = await self.tree(call.signal);
    if (!args.excludeMetadata) return contentDigest(call.session.engine.store, tree);
    return readTree(call.session.engine.store, tree, async (host) => {
      const hash = createHash("sha256");
      await pipeline(createReadStream(host), hash);
      return `sha256:${hash.digest("hex")}`;
    });
  },
  "sync: ID!": async (self, _args: object, call) => {
    await self.tree(call.signal);
    return call.node.recipe.parent?.id;
  },
  "withName(name: String!): File!": (self, args: { name: string }, call) => ({
    tree: lazy(call, async (signal) =>
      alone(
        call,
        args.name,
        await copyFile(call.session.engine.store, await self.tree(signal), {}),
        signal,
      ),
    ),
  }),
  "withTimestamps(timestamp: Int!): File!": (self, args: { timestamp: number }, call) =>
    stamped(
      changedFile(self, call, () => Promise.resolve(timestamps(args.timestamp))),
      args.timestamp,
    ),
  "chown(owner: String!): File!": (self, args: { owner: string }, call) =>
    changedFile(self, call, async (tree) => {
      const owner = await parseOwner(args.owner, (file) =>
        readTree(call.session.engine.store, { ...tree, path: file }, (host) =>
          readFile(host, "utf8"),
        ),
      );
      if (!owner) throw new EngineError("chown needs an owner: a user or user:group");
      return chownAll(owner);
    }),
  "withReplaced(search: String!, replacement: String!, all: Boolean = false, firstFrom: Int): File!":
    (self, args: { search: string; replacement: string; all: boolean; firstFrom?: number }, call) =>
      changedFile(self, call, async (tree) => {
        const contents = (await readContents(call, tree)).toString("utf8");
        const mode = (await statIn(call, tree, "/", true)).permissions;
        return newFile(replaced(contents, args), { permissions: mode });
      }),
  "export(path: String!, allowParentDirPath: Boolean = false): String!": async (
    self,
    args: { path: string; allowParentDirPath: boolean },
    call,
  ) => {
    const tree = await self.tree(call.signal);
    let target = posix.resolve(call.client.cwd, args.path);
    const isDirectory = await stat(target).then(
      (found) => found.isDirectory(),
      () => false,
    );
    if (isDirectory) {
      if (!args.allowParentDirPath && !args.path.endsWith("/")) {
        throw new EngineError(
          `destination ${JSON.stringify(args.path)} is a directory; must be a file path unless allowParentDirPath is set`,
        );
      }
      target = posix.join(target, posix.basename(tree.path));
    }
    await call.session.engine.store.exportTo(tree.snapshot, tree.path, target, {
      signal: call.signal,
    });
    return target;
  },
};

function replaced(
  contents: string,
  args: { search: string; replacement: string; all: boolean; firstFrom?: number },
): string {
  const { search, replacement } = args;
  if (args.firstFrom !== undefined) {
    const start = contents
      .split("\n")
      .slice(0, args.firstFrom - 1)
      .join("\n").length;
    const at = contents.indexOf(search, start);
    if (at < 0) throw new EngineError(`search string not found after line ${args.firstFrom}`);
    return contents.slice(0, at) + replacement + contents.slice(at + search.length);
  }
  const pieces = contents.split(search);
  if (pieces.length === 1 && !args.all) throw new EngineError("search string not found");
  if (pieces.length > 2 && !args.all) {
    throw new EngineError(`search string found multiple times (${pieces.length - 1})`);
  }
  return pieces.join(replacement);
}
