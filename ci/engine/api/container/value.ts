import { readFile } from "node:fs/promises";
import { EngineError } from "../../graph/errors.js";
import type { Node } from "../../graph/node.js";
import type { ImageConfig, Platform } from "../../images/types.js";
import type { Call } from "../../session.js";
import type { BlobRef, Snapshot } from "../../store/types.js";
import { type Lazy, ready } from "../lazy.js";
import { absolute, parseOwner, readTree, type Owner } from "../trees.js";
import type { MountedVolume, PortValue, Tree } from "../values.js";

/** What the last command of a container left behind besides files. */
export interface ExecRecord {
  readonly exitCode: number;
  readonly stdout: BlobRef;
  readonly stderr: BlobRef;
  readonly combined: BlobRef;
}

/** The part of a container that costs work to know. */
export interface ContainerFiles {
  readonly rootfs: Snapshot;
  /** Target → what is mounted there, for directories and files. */
  readonly trees: ReadonlyMap<string, Tree>;
  readonly exec?: ExecRecord | undefined;
}

export type ContainerMount =
  | { readonly kind: "directory" | "file"; readonly target: string; readonly readOnly: boolean }
  | (MountedVolume & { readonly kind: "cache"; readonly target: string })
  | { readonly kind: "temp"; readonly target: string; readonly size?: number | undefined };

export interface SecretMount {
  readonly target: string;
  readonly secret: Node;
  readonly owner: string;
  readonly mode: number;
}

/** A container: its configuration, known at once, and its files, made when somebody needs them. */
export interface ContainerValue {
  readonly platform: Platform;
  readonly config: ImageConfig;
  /** Set by withDefaultArgs: the entrypoint is then left out by asService. */
  readonly ownDefaultArgs: boolean;
  readonly annotations: Readonly<Record<string, string>>;
  readonly ports: readonly PortValue[];
  readonly mounts: readonly ContainerMount[];
  readonly secretMounts: readonly SecretMount[];
  readonly secretVariables: readonly { readonly name: string; readonly secret: Node }[];
  /** Set for commands, left out of cache keys and of the image. */
  readonly volatile: Readonly<Record<string, string>>;
  readonly services: readonly { readonly alias: string; readonly service: Node }[];
  readonly registryAuth: readonly {
    readonly address: string;
    readonly username: string;
    readonly secret: Node;
  }[];
  readonly imageRef: string;
  readonly files: Lazy<ContainerFiles>;
}

export function emptyContainer(platform: Platform): ContainerValue {
  return {
    platform,
    config: {},
    ownDefaultArgs: false,
    annotations: {},
    ports: [],
    mounts: [],
    secretMounts: [],
    secretVariables: [],
    volatile: {},
    services: [],
    registryAuth: [],
    imageRef: "",
    files: ready({ rootfs: { layers: [] }, trees: new Map() }),
  };
}

export function withConfig(self: ContainerValue, change: Partial<ImageConfig>): ContainerValue {
  const config = Object.fromEntries(
    Object.entries({ ...self.config, ...change }).filter(([, value]) => value !== undefined),
  );
  return { ...self, config, imageRef: "" };
}

export function environment(self: ContainerValue): Map<string, string> {
  return variablesOf(self.config);
}

export function variablesOf(config: ImageConfig): Map<string, string> {
  return new Map(
    (config.Env ?? []).map((entry) => {
      const at = entry.indexOf("=");
      return at < 0 ? [entry, ""] : [entry.slice(0, at), entry.slice(at + 1)];
    }),
  );
}

/** `$NAME` and `${NAME}` from the container's environment; unknown names become nothing. */
export function expand(self: ContainerValue, input: string, wanted: boolean): string {
  if (!wanted) return input;
  const variables = environment(self);
  return input.replace(/\$(?:\{([^}]*)\}|([A-Za-z_]\w*))/g, (_, braced?: string, bare?: string) => {
    const name = braced ?? bare ?? "";
    if (self.secretVariables.some((variable) => variable.name === name)) {
      throw new EngineError(`expand cannot be used with secret env variable "${name}"`);
    }
    if (name in self.volatile) {
      throw new EngineError(`expand cannot be used with volatile env variable "${name}"`);
    }
    return variables.get(name) ?? "";
  });
}

export function containerPath(self: ContainerValue, path: string, expanded = false): string {
  return absolute(self.config.WorkingDir ?? "/", expand(self, path, expanded));
}

/** Where a path of the container lies: in which mount, or (no mount) in the root file system. */
export function locate(
  self: ContainerValue,
  path: string,
): { mount?: ContainerMount; path: string } {
  for (const mount of [...self.mounts].reverse()) {
    if (path !== mount.target && !path.startsWith(`${mount.target}/`)) continue;
    if (mount.kind === "temp") throw new EngineError(`${path}: cannot retrieve path from tmpfs`);
    if (mount.kind === "cache") throw new EngineError(`${path}: cannot retrieve path from cache`);
    return { mount, path: path.slice(mount.target.length) || "/" };
  }
  return { path };
}

/** The tree in which `locate` found something. */
export function treeAt(files: ContainerFiles, mount: ContainerMount | undefined): Tree {
  const tree = mount ? files.trees.get(mount.target) : { snapshot: files.rootfs, path: "/" };
  if (!tree) throw new EngineError(`nothing is mounted at ${mount?.target ?? "/"}`);
  return tree;
}

/** The numbers of an owner, whose names are looked up in the container. */
export async function ownerOf(
  call: Call,
  self: ContainerValue,
  owner: string,
  signal: AbortSignal,
): Promise<Owner | undefined> {
  return parseOwner(owner, async (file) => {
    const { rootfs } = await self.files(signal);
    return readTree(call.session.engine.store, { snapshot: rootfs, path: file }, (host) =>
      readFile(host, "utf8"),
    );
  });
}
