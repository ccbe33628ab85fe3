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

/** The folder that has something of that name: this one, or the next one above it. */
async function above(folder: string, name: string): Promise<string | undefined> {
  for (let at = folder; ; at = posix.dirname(at)) {
    if (await stat(posix.join(at, name)).catch(() => undefined)) return at;
    if (at === "/") return undefined;
  }
}

/** Dagger overlooks patterns of the host that are absolute, empty or lead out of the folder; `.` is all of it. */
function localPatterns(patterns: readonly string[]): string[] {
  return patterns.flatMap((pattern) => {
    const [, not = "", path = ""] = /^(!?)(.*)$/s.exec(pattern) ?? [];
    const clean = posix.normalize(path);
    if (path === "" || path.startsWith("/") || /^\.\.(\/|$)/.test(clean)) return [];
    return [not + (/^\.\/?$/.test(clean) ? "*" : clean)];
  });
}

export const hostFields: Fields<HostValue> = {
  "directory(path: String!, exclude: [String!] = [], include: [String!] = [], noCache: Boolean = false, gitignore: Boolean = false): Directory!":
    (_self, args: DirectoryArgs, call): DirectoryValue => ({
      tree: lazy(call, async (signal) => {
        const { noCache, gitignore } = args;
        const path = posix.resolve(call.client.cwd, args.path);
        const top = gitignore ? await above(path, ".git") : undefined;
        const include = localPatterns(args.include);
        return importDirectory(call, path, {
          // Below the top of a repository Dagger includes everything before it looks at what is asked for.
          include: top === undefined || top === path ? include : ["**", ...include],
          exclude: localPatterns(args.exclude),
          ...{ noCache, gitignore, signal, ...(top !== undefined && { top }) },
        });
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
    const folder = await above(call.client.cwd, args.name);
    if (folder === undefined) return null;
    return posix.relative(call.client.cwd, posix.join(folder, args.name));
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
