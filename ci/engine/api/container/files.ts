import { posix } from "node:path";
import type { Node } from "../../graph/node.js";
import type { Call, Fields } from "../../session.js";
import { newSymlink, type Change, type Placement } from "../changes.js";
import { copyDirectory, copyFile, putFile, type CopyFilter } from "../copying.js";
import { existsIn, statIn, subtree, type ExistsArgs } from "../inspect.js";
import { lazy } from "../lazy.js";
import { below, changeTree, scratch, treeOf } from "../trees.js";
import type { DirectoryValue } from "../values.js";
import { without } from "../without.js";
import {
  containerPath,
  expand,
  locate,
  ownerOf,
  treeAt,
  type ContainerFiles,
  type ContainerMount,
  type ContainerValue,
} from "./value.js";

export interface Destination {
  path: string;
  expand?: boolean;
}

type Plan = (signal: AbortSignal) => Promise<Change>;

/** The container after a change at `args.path`, wherever that is mounted from. */
function changed(
  self: ContainerValue,
  call: Call,
  args: Destination,
  plan: Plan,
  covers: readonly ContainerMount["kind"][] = ["file", "directory"],
): ContainerValue {
  const path = containerPath(self, args.path, args.expand);
  // What is mounted exactly there gives way to what is written there.
  const exact = self.mounts.find(({ target, kind }) => target === path && covers.includes(kind));
  const base = exact ? { ...self, mounts: self.mounts.filter((mount) => mount !== exact) } : self;
  const at = locate(base, path);
  return {
    ...base,
    imageRef: "",
    files: lazy(call, async (signal) =>
      applyAt(call, await self.files(signal), at, await plan(signal), signal),
    ),
  };
}

export async function applyAt(
  call: Call,
  files: ContainerFiles,
  at: { mount?: ContainerMount; path: string },
  change: Change,
  signal: AbortSignal,
): Promise<ContainerFiles> {
  const tree = treeAt(files, at.mount);
  const path = below(tree.path, at.path);
  const after = await changeTree(
    call.session.engine.store,
    tree,
    [path, change.identity],
    (root) => change.apply(root, path),
    signal,
  );
  if (!at.mount) return { ...files, rootfs: after.snapshot };
  return { ...files, trees: new Map(files.trees).set(at.mount.target, after) };
}

async function placement(
  call: Call,
  self: ContainerValue,
  args: { owner?: string; permissions?: number },
  signal: AbortSignal,
): Promise<Placement> {
  return {
    owner: await ownerOf(call, self, args.owner ?? "", signal),
    permissions: args.permissions,
  };
}

/** A directory or file of the container; it must be there when it is needed. */
function taken(
  self: ContainerValue,
  call: Call,
  args: Destination,
  kind: "directory" | "file",
): DirectoryValue {
  const at = locate(self, containerPath(self, args.path, args.expand));
  return {
    tree: lazy(call, async (signal) => {
      const tree = treeAt(await self.files(signal), at.mount);
      // The mount's own tree is a file when a file is mounted.
      return at.path === "/" && at.mount?.kind === "file" && kind === "file"
        ? tree
        : subtree(call, tree, at.path, kind);
    }),
  };
}

/** Fields that read or change files. */
export const fileSystemFields: Fields<ContainerValue> = {
  "rootfs: Directory!": (self, _args: object, call) => ({
    tree: lazy(call, async (signal) => ({
      snapshot: (await self.files(signal)).rootfs,
      path: "/",
    })),
  }),
  "withRootfs(directory: ID!): Container!": (self, args: { directory: Node }, call) => ({
    ...self,
    imageRef: "",
    files: lazy(call, async (signal) => {
      const [files, tree] = await Promise.all([
        self.files(signal),
        treeOf(call, args.directory, signal),
      ]);
      if (tree.path === "/") return { ...files, rootfs: tree.snapshot };
      const { store } = call.session.engine;
      const change = await copyDirectory(store, tree, {}, {});
      const root = await changeTree(
        store,
        scratch,
        change.identity,
        (base) => change.apply(base, "/"),
        signal,
      );
      return { ...files, rootfs: root.snapshot };
    }),
  }),
  "directory(path: String!, expand: Boolean = false): Directory!": (
    self,
    args: Destination,
    call,
  ) => taken(self, call, args, "directory"),
  "file(path: String!, expand: Boolean = false): File!": (self, args: Destination, call) =>
    taken(self, call, args, "file"),
  "exists(path: String!, expectedType: ExistsType, doNotFollowSymlinks: Boolean = false, expand: Boolean = false): Boolean!":
    async (self, args: ExistsArgs & Destination, call) => {
      const at = locate(self, containerPath(self, args.path, args.expand));
      const tree = treeAt(await self.files(call.signal), at.mount);
      return existsIn(call, tree, { ...args, path: at.path });
    },
  "stat(path: String!, doNotFollowSymlinks: Boolean = false): Stat": async (
    self,
    args: { path: string; doNotFollowSymlinks: boolean },
    call,
  ) => {
    const at = locate(self, containerPath(self, args.path));
    const tree = treeAt(await self.files(call.signal), at.mount);
    return statIn(call, tree, at.path, !args.doNotFollowSymlinks);
  },

  'withDirectory(path: String!, source: ID!, exclude: [String!] = [], include: [String!] = [], gitignore: Boolean = false, owner: String = "", expand: Boolean = false, permissions: Int): Container!':
    (
      self,
      args: Destination & CopyFilter & { source: Node; owner: string; permissions?: number },
      call,
    ) =>
      changed(
        self,
        call,
        args,
        // Permissions are taken and not used, as in Dagger.
        async (signal) =>
          copyDirectory(
            call.session.engine.store,
            await treeOf(call, args.source, signal),
            args,
            await placement(call, self, { owner: args.owner }, signal),
          ),
        ["file"],
      ),
  'withFile(path: String!, source: ID!, permissions: Int, owner: String = "", expand: Boolean = false): Container!':
    (self, args: Destination & { source: Node; permissions?: number; owner: string }, call) =>
      changed(self, call, args, async (signal) =>
        copyFile(
          call.session.engine.store,
          await treeOf(call, args.source, signal),
          await placement(call, self, args, signal),
          meansDirectory(self, args),
        ),
      ),
  'withFiles(path: String!, sources: [ID!]!, permissions: Int, owner: String = "", expand: Boolean = false): Container!':
    (self, args: FilesArgs, call) => withFiles(self, call, args),
  'withNewFile(path: String!, contents: String!, permissions: Int = 420, owner: String = "", expand: Boolean = false): Container!':
    (self, args: Destination & { contents: string; permissions: number; owner: string }, call) =>
      changed(self, call, args, async (signal) =>
        putFile(
          args.contents,
          posix.basename(containerPath(self, args.path, args.expand)),
          await placement(call, self, args, signal),
          meansDirectory(self, args),
        ),
      ),
  "withSymlink(target: String!, linkName: String!, expand: Boolean = false): Container!": (
    self,
    args: { target: string; linkName: string; expand: boolean },
    call,
  ) =>
    changed(self, call, { path: args.linkName, expand: args.expand }, () =>
      Promise.resolve(newSymlink(expand(self, args.target, args.expand))),
    ),
  "withoutDirectory(path: String!, expand: Boolean = false): Container!": (
    self,
    args: Destination,
    call,
  ) => changed(self, call, args, () => Promise.resolve(without())),
  "withoutFile(path: String!, expand: Boolean = false): Container!": (
    self,
    args: Destination,
    call,
  ) => changed(self, call, args, () => Promise.resolve(without())),
  "withoutFiles(paths: [String!]!, expand: Boolean = false): Container!": (
    self,
    args: { paths: string[]; expand: boolean },
    call,
  ) => ({
    ...self,
    imageRef: "",
    files: lazy(call, async (signal) => {
      let files = await self.files(signal);
      for (const path of args.paths) {
        const at = locate(self, containerPath(self, path, args.expand));
        files = await applyAt(call, files, at, without(), signal);
      }
      return files;
    }),
  }),
};

/** Whether a file goes into the directory that is named: in the root, when a path from there ends with a slash. */
function meansDirectory(self: ContainerValue, args: Destination): boolean {
  const path = expand(self, args.path, args.expand ?? false);
  const inRoot = !locate(self, containerPath(self, path)).mount;
  return inRoot && posix.isAbsolute(path) && /\/\.?$/.test(path);
}

type FilesArgs = Destination & { sources: Node[]; permissions?: number; owner: string };

function withFiles(self: ContainerValue, call: Call, args: FilesArgs): ContainerValue {
  const directory = containerPath(self, args.path, args.expand);
  return {
    ...self,
    imageRef: "",
    files: lazy(call, async (signal) => {
      let files = await self.files(signal);
      const place = await placement(call, self, args, signal);
      for (const source of args.sources) {
        const tree = await treeOf(call, source, signal);
        const at = locate(self, posix.join(directory, posix.basename(tree.path)));
        const change = await copyFile(call.session.engine.store, tree, place);
        files = await applyAt(call, files, at, change, signal);
      }
      return files;
    }),
  };
}
