import { readFile } from "node:fs/promises";
import { posix } from "node:path";
import { EngineError } from "../graph/errors.js";
import type { Node } from "../graph/node.js";
import type { Call, Fields } from "../session.js";
import {
  checkFileName,
  chownAll,
  newDirectory,
  newFile,
  newSymlink,
  timestamps,
  type Change,
} from "./changes.js";
import { copyDirectory, copyFile, type CopyFilter } from "./copying.js";
import { changedPaths } from "./diff.js";
import { lazy } from "./lazy.js";
import { below, changeTree, parseOwner, readTree, scratch, treeOf, type Owner } from "./trees.js";
import type { Tree, DirectoryValue } from "./values.js";
import { without } from "./without.js";

/** A directory after a change at `path` below it. */
function changed(
  self: DirectoryValue,
  call: Call,
  path: string,
  plan: (tree: Tree, signal: AbortSignal) => Change | Promise<Change>,
): DirectoryValue {
  return {
    tree: lazy(call, async (signal) => {
      const { store } = call.session.engine;
      const tree = await self.tree(signal);
      const change = await plan(tree, signal);
      const at = below(tree.path, path);
      return changeTree(
        store,
        tree,
        [path, change.identity],
        (root) => change.apply(root, at),
        signal,
      );
    }),
  };
}

export function stamped(self: DirectoryValue, stamp: number): DirectoryValue {
  return { tree: async (signal) => ({ ...(await self.tree(signal)), stamp }) };
}

/** Looks an owner's names up in the directory itself, as Dagger does. */
function ownerIn(call: Call, tree: Tree, owner: string | undefined): Promise<Owner | undefined> {
  return parseOwner(owner ?? "", (file) =>
    readTree(call.session.engine.store, { ...tree, path: file }, (host) => readFile(host, "utf8")),
  );
}

/** Fields that give a changed directory. */
export const directoryChangeFields: Fields<DirectoryValue> = {
  'withDirectory(path: String!, source: ID!, exclude: [String!] = [], include: [String!] = [], gitignore: Boolean = false, owner: String = "", permissions: Int): Directory!':
    (
      self,
      args: CopyFilter & { path: string; source: Node; owner: string; permissions?: number },
      call,
    ) =>
      changed(self, call, args.path, async (tree, signal) =>
        copyDirectory(call.session.engine.store, await treeOf(call, args.source, signal), args, {
          owner: await ownerIn(call, tree, args.owner),
          permissions: args.permissions,
        }),
      ),
  "filter(exclude: [String!] = [], include: [String!] = [], gitignore: Boolean = false): Directory!":
    (self, args: CopyFilter, call) => ({
      tree: lazy(call, async (signal) => {
        const { store } = call.session.engine;
        const change = await copyDirectory(store, await self.tree(signal), args, {});
        return changeTree(
          store,
          scratch,
          change.identity,
          (root) => change.apply(root, "/"),
          signal,
        );
      }),
    }),
  'withFile(path: String!, source: ID!, permissions: Int, owner: String = ""): Directory!': (
    self,
    args: { path: string; source: Node; permissions?: number; owner: string },
    call,
  ) =>
    changed(self, call, args.path, async (tree, signal) =>
      copyFile(
        call.session.engine.store,
        await treeOf(call, args.source, signal),
        { owner: await ownerIn(call, tree, args.owner), permissions: args.permissions },
        /\/\.?$/.test(args.path),
      ),
    ),
  "withFiles(path: String!, sources: [ID!]!, permissions: Int): Directory!": (
    self,
    args: { path: string; sources: Node[]; permissions?: number },
    call,
  ) => ({
    tree: lazy(call, async (signal) => {
      const { store } = call.session.engine;
      let tree = await self.tree(signal);
      for (const source of args.sources) {
        const file = await treeOf(call, source, signal);
        const path = posix.join(args.path, posix.basename(file.path));
        const change = await copyFile(store, file, { permissions: args.permissions });
        const at = below(tree.path, path);
        tree = await changeTree(
          store,
          tree,
          [path, change.identity],
          (root) => change.apply(root, at),
          signal,
        );
      }
      return tree;
    }),
  }),
  "withNewFile(path: String!, contents: String!, permissions: Int = 420): Directory!": (
    self,
    args: { path: string; contents: string; permissions: number },
    call,
  ) => {
    checkFileName(args.path);
    return changed(self, call, args.path, () =>
      newFile(args.contents, { permissions: args.permissions }),
    );
  },
  "withNewDirectory(path: String!, permissions: Int = 420): Directory!": (
    self,
    args: { path: string; permissions: number },
    call,
  ) => {
    if (posix.normalize(args.path).startsWith("../")) {
      throw new EngineError(`cannot create directory outside parent: ${args.path}`);
    }
    return changed(self, call, args.path, () => newDirectory(args.permissions));
  },
  "withSymlink(target: String!, linkName: String!): Directory!": (
    self,
    args: { target: string; linkName: string },
    call,
  ) => changed(self, call, args.linkName, () => newSymlink(args.target)),
  "withoutDirectory(path: String!): Directory!": (self, args: { path: string }, call) =>
    changed(self, call, args.path, without),
  "withoutFile(path: String!): Directory!": (self, args: { path: string }, call) =>
    changed(self, call, args.path, without),
  "withoutFiles(paths: [String!]!): Directory!": (self, args: { paths: string[] }, call) => ({
    tree: lazy(call, async (signal) => {
      let tree = await self.tree(signal);
      for (const path of args.paths) {
        const at = below(tree.path, path);
        tree = await changeTree(
          call.session.engine.store,
          tree,
          [path, without().identity],
          (root) => without().apply(root, at),
          signal,
        );
      }
      return tree;
    }),
  }),
  "withTimestamps(timestamp: Int!): Directory!": (self, args: { timestamp: number }, call) =>
    stamped(
      changed(self, call, "/", () => timestamps(args.timestamp)),
      args.timestamp,
    ),
  "chown(path: String!, owner: String!): Directory!": (
    self,
    args: { path: string; owner: string },
    call,
  ) =>
    changed(self, call, args.path, async (tree) => {
      const owner = await ownerIn(call, tree, args.owner);
      if (!owner) throw new EngineError("chown needs an owner: a user or user:group");
      return chownAll(owner);
    }),
  "withError(err: String!): Directory!": (self, args: { err: string }) => {
    if (args.err !== "") throw new EngineError(args.err);
    return self;
  },
  "diff(other: ID!): Directory!": (self, args: { other: Node }, call) => ({
    tree: lazy(call, async (signal) => {
      const { store } = call.session.engine;
      const [mine, other] = await Promise.all([
        self.tree(signal),
        treeOf(call, args.other, signal),
      ]);
      const paths = await store.view(mine.snapshot, (root) =>
        store.view(other.snapshot, (otherRoot) =>
          changedPaths({ root, path: mine.path }, { root: otherRoot, path: other.path }),
        ),
      );
      const change = await copyDirectory(store, other, { include: paths }, {});
      if (paths.length === 0) return scratch;
      return changeTree(store, scratch, change.identity, (root) => change.apply(root, "/"), signal);
    }),
  }),
};
