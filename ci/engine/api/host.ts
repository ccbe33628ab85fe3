import { randomUUID } from "node:crypto";
import { stat } from "node:fs/promises";
import { posix } from "node:path";
import { digestOf } from "../graph/digest.js";
import { EngineError } from "../graph/errors.js";
import type { Node } from "../graph/node.js";
import type { Call, Fields, Identities } from "../session.js";
import type { ImportOptions } from "../store/types.js";
import { lazy, ready } from "./lazy.js";
import { hostService, tunnelService } from "./service.js";
import type { Tree, DirectoryValue, FileValue, PortForward } from "./values.js";

export type HostValue = Readonly<Record<string, never>>;

/** A function of a module sees only what it is given. */
export function host(call: Call): HostValue {
  if (call.client.call) {
    throw new EngineError(
      "host is not available inside a module: take a Directory, File or Secret as an argument",
    );
  }
  return {};
}

/** A directory of the host as it is now, by content: the same files give the same object. */
export async function importDirectory(
  call: Call,
  path: string,
  options: ImportOptions,
): Promise<Tree> {
  const { store, events } = call.session.engine;
  const found = await stat(path).catch(() => undefined);
  if (!found)
    throw new EngineError(`host path not found: lstat ${path}: no such file or directory`);
  if (!found.isDirectory()) throw new EngineError(`host path is not a directory: ${path}`);
  const snapshot = await events.step(
    `upload ${path}`,
    () => store.importHost(path, options),
    call.signal,
  );
  return { snapshot, path: "/" };
}

/** A node that is a tree by content: its identity does not depend on where it came from. */
export function treeNode(call: Call, type: "Directory" | "File", tree: Tree): Node {
  const value: DirectoryValue | FileValue = { tree: ready(tree) };
  const args = { layers: [...tree.snapshot.layers], path: tree.path };
  return call.session.preset(type, digestOf("tree", type, args.layers, args.path), value, {
    field: "__tree",
    args: { type, ...args },
  });
}

/** What is to be read anew is another object each time it is asked for. */
export const hostIdentities: Identities = {
  directory: (args) => (args.noCache === true ? randomUUID() : undefined),
  file: (args) => (args.noCache === true ? randomUUID() : undefined),
};

interface DirectoryArgs {
  path: string;
  exclude: string[];
  include: string[];
  noCache: boolean;
  gitignore: boolean;
}

export const hostFields: Fields<HostValue> = {
  "directory(path: String!, exclude: [String!] = [], include: [String!] = [], noCache: Boolean = false, gitignore: Boolean = false): Directory!":
    (_self, args: DirectoryArgs, call): DirectoryValue => ({
      tree: lazy(call, (signal) => {
        const { path, ...options } = args;
        return importDirectory(call, posix.resolve(call.client.cwd, path), { ...options, signal });
      }),
    }),
  "file(path: String!, noCache: Boolean = false): File!": (
    _self,
    args: { path: string; noCache: boolean },
    call,
  ): FileValue => ({
    tree: lazy(call, async (signal) => {
      const path = posix.resolve(call.client.cwd, args.path);
      const found = await stat(path).catch(() => undefined);
      if (!found)
        throw new EngineError(`host path not found: lstat ${path}: no such file or directory`);
      if (found.isDirectory())
        throw new EngineError(`host path is a directory, not a file: ${path}`);
      const name = posix.basename(path);
      const tree = await importDirectory(call, posix.dirname(path), {
        include: [name.replace(/[\\*?[\]!#]/g, "\\$&")],
        noCache: args.noCache,
        signal,
      });
      return { ...tree, path: `/${name}` };
    }),
  }),
  "findUp(name: String!, noCache: Boolean = false): String": async (
    _self,
    args: { name: string },
    call,
  ) => {
    for (let at = call.client.cwd; ; at = posix.dirname(at)) {
      const path = posix.join(at, args.name);
      if (await stat(path).catch(() => undefined)) return posix.relative(call.client.cwd, path);
      if (at === "/") return null;
    }
  },
  'service(ports: [PortForward!]!, host: String = "localhost"): Service!': (
    _self,
    args: { ports: PortForward[]; host: string },
    call,
  ) => hostService(call, args),
  "tunnel(service: ID!, native: Boolean = false, ports: [PortForward!] = []): Service!": (
    _self,
    args: { service: Node; native: boolean; ports: PortForward[] },
    call,
  ) => tunnelService(call, args),
};
