import type { Node } from "../../graph/node.js";
import type { Call, Fields } from "../../session.js";
import { chownAll } from "../changes.js";
import { lazy } from "../lazy.js";
import { changeTree, treeOf } from "../trees.js";
import type { MountedVolume, Tree } from "../values.js";
import type { Destination } from "./files.js";
import { containerPath, ownerOf, type ContainerMount, type ContainerValue } from "./value.js";

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

/** Fields that mount what is not part of the image. */
export const mountFields: Fields<ContainerValue> = {
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
  "withMountedCache(path: String!, cache: ID!, source: ID, sharing: CacheSharingMode, owner: String, expand: Boolean = false): Container!":
    (self, args: Destination & Omit<MountedVolume, "volume"> & { cache: Node }) =>
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

function withMount(self: ContainerValue, mount: ContainerMount): ContainerValue {
  const others = self.mounts.filter(({ target }) => target !== mount.target);
  return { ...self, imageRef: "", mounts: [...others, mount] };
}
