import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { LayerDraft, Snapshot } from "../store/types.js";
import { CA_BUNDLE, hostsFile, ociConfig, resolvConf, type OciConfig } from "./config.js";
import type { BundleFile, NewFolder, Overlay } from "./launch.js";
import type { Network, Slot } from "./network.js";
import { locate, mountAt } from "./paths.js";
import type { ExecStorage } from "./storage.js";
import { planStubs, type Stub } from "./stubs.js";
import type { ExecSpec, Mount } from "./types.js";
import { resolveUser, type ProcessUser } from "./user.js";

/** What every execution of a runner shares. */
export interface Surroundings {
  readonly storage: ExecStorage;
  readonly network: Network;
  /** The folder that bundles are mounted on, each in a mount namespace of its own. */
  readonly bundle: string;
  readonly hostEnv: Readonly<Record<string, string | undefined>>;
  /** The capabilities of this process, as bits. */
  readonly available: bigint;
  /** The host's file with trusted certificates, if it has one. */
  readonly caBundle: string | undefined;
}

/** A spec with all that had to be looked up or made for it. */
export interface Prepared {
  readonly config: OciConfig;
  readonly slot: Slot;
  readonly files: readonly BundleFile[];
  readonly overlays: readonly Overlay[];
  readonly folders: readonly NewFolder[];
  readonly stdin: string | undefined;
  readonly stubs: readonly Stub[];
  readonly rootfs: LayerDraft;
  readonly mounts: ReadonlyMap<string, LayerDraft>;
  /** Removes the drafts. */
  discard(): Promise<void>;
}

interface Cwd {
  /** Index of the mount that it lies in; -1: the root file system. */
  readonly mount: number;
  readonly path: string;
  readonly missing: readonly string[];
}

/** Looks up what `spec` names in its file systems, and gets drafts and a network for it. */
export async function prepare(around: Surroundings, spec: ExecSpec): Promise<Prepared> {
  const { storage, network, bundle } = around;
  const [{ user, cwd, stubs }, sourcePaths] = await Promise.all([
    lookUp(around, spec),
    Promise.all((spec.mounts ?? []).map((mount) => sourcePath(storage, mount))),
  ]);
  const overlays: Overlay[] = [];
  const files: BundleFile[] = [];
  const sources: string[] = [];
  const mounts = new Map<string, LayerDraft>();
  const discard = async (): Promise<void> => {
    await Promise.allSettled(overlays.map(({ draft }) => draft.discard()));
  };
  const overlay = async (name: string, base: Snapshot): Promise<LayerDraft> => {
    const draft = await storage.draft(base);
    overlays.push({ name, base, draft });
    return draft;
  };
  try {
    const rootfs = await overlay("rootfs", spec.rootfs);
    for (const [index, mount] of (spec.mounts ?? []).entries()) {
      const name = `m${index}`;
      if (mount.kind === "directory" || mount.kind === "file") {
        mounts.set(mount.target, await overlay(name, mount.source));
        sources.push(join(bundle, name, sourcePaths[index] ?? ""));
      } else if (mount.kind === "secret") {
        const { content, uid, gid, mode } = mount;
        files.push({ name, content, uid, gid, mode: mode & 0o777 });
        sources.push(join(bundle, name));
      } else if (mount.kind === "cache") sources.push(mount.volumePath);
      else sources.push(mount.kind === "socket" ? mount.hostPath : "");
    }
    const config = ociConfig({ ...around, spec, user, sources });
    const resolver = await readFile("/etc/resolv.conf", "utf8").catch(() => "");
    files.push({ name: "config.json", content: JSON.stringify(config), mode: 0o600 });
    files.push({ name: "hosts", content: hostsFile(spec), mode: 0o644 });
    files.push({
      name: "resolv.conf",
      content: resolvConf(network.resolver, resolver),
      mode: 0o644,
    });
    const { stdin } = spec;
    const inline = typeof stdin === "string" || Buffer.isBuffer(stdin);
    if (inline) files.push({ name: "stdin", content: stdin, mode: 0o600 });
    const from = inline ? "bundle" : stdin && storage.blobs.path(stdin.blob);
    const folders = newFolders(cwd, user);
    const slot = await network.acquire();
    return { config, slot, files, overlays, folders, stubs, rootfs, mounts, stdin: from, discard };
  } catch (error) {
    await discard();
    throw error;
  }
}

/** The user, where the working directory is to be made, and the mount points that are not there yet. */
function lookUp(
  { storage, caBundle }: Surroundings,
  spec: ExecSpec,
): Promise<{ user: ProcessUser; cwd: Cwd; stubs: Stub[] }> {
  const targets = (spec.mounts ?? []).map(({ target }) => target);
  const points = ["/etc/resolv.conf", "/etc/hosts", ...targets];
  if (caBundle !== undefined) points.push(CA_BUNDLE);
  const [index, rest] = mountAt(targets, spec.cwd) ?? [-1, ""];
  const mount = spec.mounts?.[index];
  return storage.view(spec.rootfs, async (root) => {
    const read = async (path: string): Promise<string> => {
      const found = await locate(root, path);
      return found.missing.length > 0 ? "" : readFile(join(root, found.path), "utf8");
    };
    const user = resolveUser(spec.user, await read("/etc/passwd"), await read("/etc/group"));
    const stubs = await planStubs(root, points);
    if (mount === undefined) {
      return { user, stubs, cwd: { mount: -1, ...(await locate(root, spec.cwd)) } };
    }
    // In a volume or an empty tmpfs the runtime makes it.
    if (mount.kind !== "directory")
      return { user, stubs, cwd: { mount: index, path: "", missing: [] } };
    const found = await storage.view(mount.source, (source) =>
      locate(source, `${mount.path}/${rest}`),
    );
    return { user, stubs, cwd: { mount: index, ...found } };
  });
}

/** Where the thing to mount is below its own root. */
async function sourcePath(storage: ExecStorage, mount: Mount): Promise<string> {
  if (mount.kind !== "directory" && mount.kind !== "file") return "";
  const { path, missing } = await storage.view(mount.source, (root) => locate(root, mount.path));
  if (missing.length === 0) return path;
  throw new Error(`cannot mount ${mount.path} at ${mount.target}: no such ${mount.kind}`);
}

function newFolders(cwd: Cwd, { uid, gid }: ProcessUser): NewFolder[] {
  const base = join(cwd.mount < 0 ? "rootfs" : `m${cwd.mount}`, cwd.path);
  return cwd.missing.map((_, index) => ({
    path: join(base, ...cwd.missing.slice(0, index + 1)),
    owner: `${uid}:${gid}`,
  }));
}
