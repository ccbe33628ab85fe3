import { access, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { LayerDraft, Snapshot } from "../store/types.js";
import { CA_BUNDLE, hostsFile, ociConfig, resolvConf } from "./config.js";
import { launch, runtimeCommand, type BundleFile, type Launched, type Overlay } from "./launch.js";
import { commandError } from "./messages.js";
import { Network, type Slot } from "./network.js";
import { OutputRecorder } from "./output.js";
import { locate, mountAt } from "./paths.js";
import type { ExecStorage } from "./storage.js";
import { planStubs, removeStubs, type Stub } from "./stubs.js";
import type { ExecResult, ExecSpec, Mount, RunnerOptions, RunOptions } from "./types.js";
import { resolveUser } from "./user.js";

type KeptMount = Extract<Mount, { kind: "directory" | "file" }>;

/** A spec with all that had to be looked up or made for it. */
interface Prepared {
  readonly slot: Slot;
  readonly files: BundleFile[];
  readonly overlays: Overlay[];
  readonly folders: { path: string; owner: string }[];
  readonly stubs: Stub[];
  readonly rootfs: LayerDraft;
  readonly mounts: Map<string, LayerDraft>;
}

/** Runs processes in containers. Everything that it starts ends with it, also when it is killed. */
export class Runner {
  private constructor(
    private readonly storage: ExecStorage,
    private readonly options: Required<RunnerOptions>,
    private readonly network: Network,
    private readonly runtime: string,
    private readonly caBundle: string | undefined,
  ) {}

  static async create(storage: ExecStorage, options: RunnerOptions): Promise<Runner> {
    const hostEnv = options.hostEnv ?? process.env;
    await mkdir(join(options.root, "bundle"), { recursive: true, mode: 0o700 });
    const network = await Network.create(options.root);
    const bundle = hostEnv["SSL_CERT_FILE"] ?? CA_BUNDLE;
    const trusted = await access(bundle).then(
      () => bundle,
      () => undefined,
    );
    return new Runner(storage, { ...options, hostEnv }, network, "crun", trusted);
  }

  /** Runs `spec` to its end. An exit code other than 0 is a result; a command that cannot be found ends with 1, as in Dagger. */
  async run(spec: ExecSpec, options: RunOptions = {}): Promise<ExecResult> {
    const { signal } = options;
    signal?.throwIfAborted();
    const prepared = await this.prepare(spec);
    const recorder = new OutputRecorder(
      this.storage.blobs,
      options.secrets ?? [],
      options.onOutput,
    );
    let done = false;
    try {
      signal?.throwIfAborted();
      const process = await this.launch(spec, prepared);
      const abort = (): void => {
        process.kill();
      };
      signal?.addEventListener("abort", abort, { once: true });
      if (signal?.aborted === true) abort();
      let exitCode: number;
      try {
        exitCode = await supervise(process, spec, recorder);
      } finally {
        signal?.removeEventListener("abort", abort);
      }
      signal?.throwIfAborted();
      const [outputs] = await Promise.all([recorder.finish(), cleanUp(prepared)]);
      done = true;
      return { exitCode, ...outputs, rootfs: prepared.rootfs, mounts: prepared.mounts };
    } finally {
      this.network.release(prepared.slot, spec.insecureRootCapabilities === true);
      if (!done) {
        recorder.abandon();
        await discard(prepared);
      }
    }
  }

  async close(): Promise<void> {
    await this.network.close();
  }

  private launch(spec: ExecSpec, prepared: Prepared): Promise<Launched> {
    const { stdin } = spec;
    const blob =
      typeof stdin === "object" && "blob" in stdin
        ? this.storage.blobs.path(stdin.blob)
        : undefined;
    return launch(this.storage, {
      runtime: runtimeCommand(this.runtime),
      bundle: join(this.options.root, "bundle"),
      ...prepared,
      stdin: blob ?? (stdin === undefined ? undefined : "bundle"),
    });
  }

  /** Looks up what the spec names in its file systems, and gets a network and drafts for it. */
  private async prepare(spec: ExecSpec): Promise<Prepared> {
    const bundle = join(this.options.root, "bundle");
    const mounts = spec.mounts ?? [];
    const { user, cwd, stubs } = await this.lookUp(spec);
    const owner = `${user.uid}:${user.gid}`;
    const files: BundleFile[] = [];
    const overlays: Overlay[] = [];
    const sources: string[] = [];
    const drafts = new Map<string, LayerDraft>();
    const folders: { path: string; owner: string }[] = [];
    const slot = await this.network.acquire();
    const made: LayerDraft[] = [];
    const draft = async (base: Snapshot): Promise<LayerDraft> => {
      const layer = await this.storage.draft(base);
      made.push(layer);
      return layer;
    };
    try {
      const rootfs = await draft(spec.rootfs);
      overlays.push({ name: "rootfs", base: spec.rootfs, draft: rootfs });
      addFolders(folders, "rootfs", cwd.mount === undefined ? cwd : undefined, owner);
      for (const [index, mount] of mounts.entries()) {
        const name = `m${index}`;
        if (mount.kind === "directory" || mount.kind === "file") {
          const layer = await draft(mount.source);
          const path = await this.sourcePath(mount);
          overlays.push({ name, base: mount.source, draft: layer });
          drafts.set(mount.target, layer);
          addFolders(folders, name, cwd.mount === index ? cwd : undefined, owner);
          sources.push(join(bundle, name, path));
        } else if (mount.kind === "secret") {
          const { content, uid, gid, mode } = mount;
          files.push({ name, content, uid, gid, mode: mode & 0o777 });
          sources.push(join(bundle, name));
        } else if (mount.kind === "cache") sources.push(mount.volumePath);
        else sources.push(mount.kind === "socket" ? mount.hostPath : "");
      }
      const { hostEnv } = this.options;
      const config = ociConfig({ spec, user, bundle, sources, hostEnv, caBundle: this.caBundle });
      const resolver = await readFile("/etc/resolv.conf", "utf8").catch(() => "");
      files.push({ name: "config.json", content: JSON.stringify(config), mode: 0o600 });
      files.push({ name: "hosts", content: hostsFile(spec), mode: 0o644 });
      files.push({
        name: "resolv.conf",
        content: resolvConf(this.network.resolver, resolver),
        mode: 0o644,
      });
      const { stdin } = spec;
      if (typeof stdin === "string" || Buffer.isBuffer(stdin)) {
        files.push({ name: "stdin", content: stdin, mode: 0o600 });
      }
      return { slot, files, overlays, folders, stubs, rootfs, mounts: drafts };
    } catch (error) {
      this.network.release(slot, false);
      await Promise.allSettled(made.map((layer) => layer.discard()));
      throw error;
    }
  }

  /** The user, where the working directory is to be made, and the mount points that are not there yet. */
  private lookUp(spec: ExecSpec): Promise<LookedUp> {
    const targets = (spec.mounts ?? []).map(({ target }) => target);
    const inMount = mountAt(targets, spec.cwd);
    return this.storage.view(spec.rootfs, async (root) => {
      const read = async (path: string): Promise<string> => {
        const { path: real, missing } = await locate(root, path);
        return missing.length > 0 ? "" : readFile(join(root, real), "utf8");
      };
      const user = resolveUser(spec.user, await read("/etc/passwd"), await read("/etc/group"));
      const points = ["/etc/resolv.conf", "/etc/hosts", ...targets];
      if (this.caBundle !== undefined) points.push(CA_BUNDLE);
      const stubs = await planStubs(root, points);
      if (inMount !== undefined)
        return { user, stubs, cwd: await this.cwdInMount(spec, ...inMount) };
      const { path, missing } = await locate(root, spec.cwd);
      return { user, stubs, cwd: { mount: undefined, path, missing } };
    });
  }

  private async cwdInMount(spec: ExecSpec, index: number, rest: string): Promise<Cwd> {
    const mount = spec.mounts?.[index];
    const nothing = { mount: index, path: "", missing: [] };
    // In a volume or an empty tmpfs the runtime makes it.
    if (mount?.kind !== "directory") return nothing;
    const found = await this.storage.view(mount.source, (root) =>
      locate(root, `${mount.path}/${rest}`),
    );
    return { mount: index, ...found };
  }

  private async sourcePath(mount: KeptMount): Promise<string> {
    const { path, missing } = await this.storage.view(mount.source, (root) =>
      locate(root, mount.path),
    );
    if (missing.length === 0) return path;
    throw new Error(`cannot mount ${mount.path} at ${mount.target}: no such ${mount.kind}`);
  }
}

interface Cwd {
  readonly mount: number | undefined;
  readonly path: string;
  readonly missing: readonly string[];
}

interface LookedUp {
  readonly user: ReturnType<typeof resolveUser>;
  readonly cwd: Cwd;
  readonly stubs: Stub[];
}

function addFolders(
  folders: { path: string; owner: string }[],
  name: string,
  cwd: Cwd | undefined,
  owner: string,
): void {
  let path = join(name, cwd?.path ?? "");
  for (const part of cwd?.missing ?? []) {
    path = join(path, part);
    folders.push({ path, owner });
  }
}

/** Waits for the end of a process and of its output. */
async function supervise(
  process: Launched,
  spec: ExecSpec,
  recorder: OutputRecorder,
): Promise<number> {
  const [{ exitCode, failure }] = await Promise.all([
    process.exited,
    recorder.record("stdout", process.stdout),
    recorder.record("stderr", process.stderr),
  ]).catch((error: unknown) => {
    process.kill(); // the store did not take the output
    throw error;
  });
  if (failure === undefined) return exitCode;
  await recorder.emit("stderr", Buffer.from(`${commandError(spec.args[0] ?? "", failure)}\n`));
  return 1;
}

async function cleanUp({ rootfs, stubs }: Prepared): Promise<void> {
  await removeStubs(rootfs.upper, stubs);
}

async function discard({ rootfs, mounts }: Prepared): Promise<void> {
  await Promise.allSettled([rootfs, ...mounts.values()].map((draft) => draft.discard()));
}
