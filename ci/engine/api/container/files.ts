import { posix } from "node:path";
import type { Node } from "../../graph/node.js";
import type { Call, Fields } from "../../session.js";
import {
  chownAll,
  copyDirectory,
  copyFile,
  newFile,
  newSymlink,
  without,
  type Change,
  type CopyFilter,
  type Placement,
} from "../changes.js";
import { existsIn, statIn, subtree, type ExistsArgs } from "../inspect.js";
import { lazy } from "../lazy.js";
import { below, changeTree, scratch, treeOf } from "../trees.js";
import type { Tree, DirectoryValue } from "../values.js";
import {
  containerPath,
  locate,
  ownerOf,
  treeAt,
  type ContainerFiles,
  type ContainerMount,
  type ContainerValue,
} from "./value.js";

interface Destination {
  path: string;
  expand?: boolean;
}

type Plan = (signal: AbortSignal) => Promise<Change>;

/** The container after a change at `args.path`, wherever that is mounted from. */
function changed(self: ContainerValue, call: Call, args: Destination, plan: Plan): ContainerValue {
  const path = containerPath(self, args.path, args.expand);
  // What is mounted exactly there gives way to what is written there.
  const exact = self.mounts.find(({ target, kind }) => target === path && kind !== "directory");
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

/** A mount of a directory or file, whose tree is made when the container's files are. */
function mounted(
  self: ContainerValue,
  call: Call,
  args: Destination & { source: Node; owner: string; readOnly?: boolean },
  kind: "directory" | "file",
): ContainerValue {
  const target = containerPath(self, args.path, args.expand);
  const mount: ContainerMount = { kind, target, readOnly: args.readOnly ?? false };
  return {
    ...self,
    imageRef: "",
    mounts: [...self.mounts.filter((other) => other.target !== target), mount],
    files: lazy(call, async (signal) => {
      const [files, source] = await Promise.all([
        self.files(signal),
        treeOf(call, args.source, signal),
      ]);
      const tree = await owned(call, self, source, args.owner, signal);
      return { ...files, trees: new Map(files.trees).set(target, tree) };
    }),
  };
}

async function owned(
  call: Call,
  self: ContainerValue,
  tree: Tree,
  ownerName: string,
  signal: AbortSignal,
): Promise<Tree> {
  const owner = await ownerOf(call, self, ownerName, signal);
  if (!owner) return tree;
  const change = chownAll(owner);
  return changeTree(
    call.session.engine.store,
    tree,
    change.identity,
    (root) => change.apply(root, tree.path),
    signal,
  );
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
      changed(self, call, args, async (signal) =>
        copyDirectory(
          call.session.engine.store,
          await treeOf(call, args.source, signal),
          args,
          await placement(call, self, args, signal),
        ),
      ),
  'withFile(path: String!, source: ID!, permissions: Int, owner: String = "", expand: Boolean = false): Container!':
    (self, args: Destination & { source: Node; permissions?: number; owner: string }, call) => {
      const intoDirectory = /\/\.?$/.test(args.path);
      if (intoDirectory) return withFiles(self, call, { ...args, sources: [args.source] });
      return changed(self, call, args, async (signal) =>
        copyFile(
          call.session.engine.store,
          await treeOf(call, args.source, signal),
          await placement(call, self, args, signal),
        ),
      );
    },
  'withFiles(path: String!, sources: [ID!]!, permissions: Int, owner: String = "", expand: Boolean = false): Container!':
    (self, args: FilesArgs, call) => withFiles(self, call, args),
  'withNewFile(path: String!, contents: String!, permissions: Int = 420, owner: String = "", expand: Boolean = false): Container!':
    (self, args: Destination & { contents: string; permissions: number; owner: string }, call) =>
      changed(self, call, args, async (signal) =>
        newFile(args.contents, await placement(call, self, args, signal)),
      ),
  "withSymlink(target: String!, linkName: String!, expand: Boolean = false): Container!": (
    self,
    args: { target: string; linkName: string; expand: boolean },
    call,
  ) =>
    changed(self, call, { path: args.linkName, expand: args.expand }, () =>
      Promise.resolve(newSymlink(args.target)),
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

  "mounts: [String!]!": (self) => self.mounts.map(({ target }) => target),
  'withMountedDirectory(path: String!, source: ID!, owner: String = "", readOnly: Boolean = false, expand: Boolean = false): Container!':
    (self, args: Destination & { source: Node; owner: string; readOnly: boolean }, call) =>
      mounted(self, call, args, "directory"),
  'withMountedFile(path: String!, source: ID!, owner: String = "", expand: Boolean = false): Container!':
    (self, args: Destination & { source: Node; owner: string }, call) =>
      mounted(self, call, args, "file"),
  "withMountedTemp(path: String!, size: Int, expand: Boolean = false): Container!": (
    self,
    args: Destination & { size?: number },
  ) =>
    withMount(self, {
      kind: "temp",
      target: containerPath(self, args.path, args.expand),
      size: args.size,
    }),
  'withMountedCache(path: String!, cache: ID!, source: ID, sharing: CacheSharingMode = SHARED, owner: String = "", expand: Boolean = false): Container!':
    (self, args: Destination & { cache: Node; source?: Node; sharing: string; owner: string }) =>
      withMount(self, {
        kind: "cache",
        target: containerPath(self, args.path, args.expand),
        volume: args.cache,
        source: args.source,
        sharing: args.sharing,
        owner: args.owner,
      }),
  'withMountedSecret(path: String!, source: ID!, owner: String = "", mode: Int = 256, expand: Boolean = false): Container!':
    (self, args: Destination & { source: Node; owner: string; mode: number }) => ({
      ...self,
      imageRef: "",
      secretMounts: [
        ...self.secretMounts,
        {
          target: containerPath(self, args.path, args.expand),
          secret: args.source,
          owner: args.owner,
          mode: args.mode,
        },
      ],
    }),
  "withoutMount(path: String!, expand: Boolean = false): Container!": (self, args: Destination) => {
    const path = containerPath(self, args.path, args.expand);
    return {
      ...self,
      imageRef: "",
      mounts: self.mounts.filter(({ target }) => target !== path),
      secretMounts: self.secretMounts.filter(({ target }) => target !== path),
    };
  },
};

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

function withMount(self: ContainerValue, mount: ContainerMount): ContainerValue {
  const others = self.mounts.filter(({ target }) => target !== mount.target);
  return { ...self, imageRef: "", mounts: [...others, mount] };
}
