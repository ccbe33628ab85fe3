import { readdir } from "node:fs/promises";
import { posix } from "node:path";
import type { Call, Fields } from "../session.js";
import { directoryChangeFields } from "./directory-changes.js";
import { dockerBuild, type DockerBuildArgs } from "./dockerfile/build.js";
import { glob } from "./glob.js";
import { existsIn, statIn, subtree, type ExistsArgs } from "./inspect.js";
import { lazy } from "./lazy.js";
import { below, contentDigest, readTree } from "./trees.js";
import type { DirectoryValue } from "./values.js";

function part(
  self: DirectoryValue,
  call: Call,
  path: string,
  kind: "directory" | "file",
): DirectoryValue {
  return {
    tree: lazy(call, async (signal) => {
      const tree = await self.tree(signal);
      return subtree(call, tree, path, kind);
    }),
  };
}

/** What is at a path, a directory or a file: a Dockerfile mounts either. */
export function at(self: DirectoryValue, args: { path: string }, call: Call): DirectoryValue {
  return {
    tree: lazy(call, async (signal) => {
      const tree = await self.tree(signal);
      const path = await readTree(
        call.session.engine.store,
        { ...tree, path: below(tree.path, args.path) },
        (host, root) => Promise.resolve(host.slice(root.length) || "/"),
      );
      return { ...tree, path };
    }),
  };
}

export const directoryFields: Fields<DirectoryValue> = {
  ...directoryChangeFields,
  "directory(path: String!): Directory!": (self, args: { path: string }, call) =>
    part(self, call, args.path, "directory"),
  "file(path: String!): File!": (self, args: { path: string }, call) =>
    part(self, call, args.path, "file"),
  "entries(path: String): [String!]!": async (self, args: { path?: string }, call) => {
    const tree = await self.tree(call.signal);
    const at = { ...tree, path: below(tree.path, args.path ?? "/") };
    return readTree(call.session.engine.store, at, async (host) =>
      (await readdir(host, { withFileTypes: true }))
        .sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)))
        .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name)),
    );
  },
  "glob(pattern: String!): [String!]!": async (self, args: { pattern: string }, call) =>
    readTree(call.session.engine.store, await self.tree(call.signal), (host) =>
      glob(host, args.pattern),
    ),
  "exists(path: String!, expectedType: ExistsType, doNotFollowSymlinks: Boolean = false): Boolean!":
    async (self, args: ExistsArgs, call) => existsIn(call, await self.tree(call.signal), args),
  "stat(path: String!, doNotFollowSymlinks: Boolean = false): Stat": async (
    self,
    args: { path: string; doNotFollowSymlinks: boolean },
    call,
  ) => statIn(call, await self.tree(call.signal), args.path, !args.doNotFollowSymlinks),
  "digest: String!": async (self, _args: object, call) =>
    contentDigest(call.session.engine.store, await self.tree(call.signal)),
  "name: String!": async (self, _args: object, call) => {
    const { path } = await self.tree(call.signal);
    return path === "/" ? "/" : `${posix.basename(path)}/`;
  },
  "sync: ID!": async (self, _args: object, call) => {
    await self.tree(call.signal);
    return call.node.recipe.parent?.id;
  },
  "findUp(name: String!, start: String!): String": async (
    self,
    args: { name: string; start: string },
    call,
  ) => {
    const tree = await self.tree(call.signal);
    for (let at = posix.join("/", args.start); ; at = posix.dirname(at)) {
      const path = posix.join(at, args.name);
      if (await existsIn(call, tree, { path, doNotFollowSymlinks: false })) return path.slice(1);
      if (at === "/") return null;
    }
  },
  "export(path: String!, wipe: Boolean = false): String!": async (
    self,
    args: { path: string; wipe: boolean },
    call,
  ) => {
    const tree = await self.tree(call.signal);
    const target = posix.resolve(call.client.cwd, args.path);
    await call.session.engine.store.exportTo(tree.snapshot, tree.path, target, {
      wipe: args.wipe,
      signal: call.signal,
    });
    return target;
  },
  'dockerBuild(dockerfile: String = "", platform: Platform, buildArgs: [BuildArg!] = [], target: String = "", secrets: [ID!] = [], noInit: Boolean = false): Container!':
    (_self, args: DockerBuildArgs, call) => dockerBuild(args, call),
};
