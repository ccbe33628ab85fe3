import { spawn } from "node:child_process";
import { close, constants, open } from "node:fs";
import { Socket } from "node:net";
import { relative } from "node:path";
import { promisify } from "node:util";
import { pack } from "tar-stream";
import type { LayerDraft, Snapshot } from "../store/types.js";
import type { Slot } from "./network.js";
import { endLeftovers, signalCommand } from "./processes.js";
import { runtimeCommand, type Runtime } from "./runtime.js";
import type { ExecStorage } from "./storage.js";

const openFile = promisify(open);
const closeFile = promisify(close);

/** A file of the bundle. Bundles live in a tmpfs that only the process's own mount namespace sees. */
export interface BundleFile {
  readonly name: string;
  readonly content: Buffer | string;
  readonly uid?: number;
  readonly gid?: number;
  readonly mode?: number;
}

/** An overlay of `base` with `draft` on top, at `<bundle>/<name>`. */
export interface Overlay {
  readonly name: string;
  readonly base: Snapshot;
  readonly draft: LayerDraft;
}

/** A folder to be made in an overlay, owned by the process's user. `path` is free of symlinks. */
export interface NewFolder {
  readonly path: string;
  readonly owner: string;
}

export interface LaunchInput {
  readonly runtime: Runtime;
  /** Where the bundle is mounted: an empty folder. */
  readonly bundle: string;
  readonly slot: Slot;
  readonly files: readonly BundleFile[];
  readonly overlays: readonly Overlay[];
  readonly folders: readonly NewFolder[];
  /** A file to read from, `"bundle"` for the bundle's file `stdin`; default: nothing. */
  readonly stdin?: string | undefined;
}

export interface Launched {
  readonly stdout: Socket;
  readonly stderr: Socket;
  /** `failure`: what kept the command from starting, in the runtime's or the shell's words. Never rejects. */
  readonly exited: Promise<{ exitCode: number; failure: string | undefined }>;
  /** Ends the process and all that it started, at once. */
  kill(): void;
  /** Of the process that all of it runs below. */
  readonly pid: number;
  /** Sends a signal to the command and its process group. */
  signal(signal: NodeJS.Signals): Promise<void>;
}

/**
 * Starts a command: a new mount and PID namespace, whose first process makes the bundle and becomes the OCI runtime.
 * The kernel kills it with the engine (setpriv), and its whole PID namespace with it (unshare). Until the shell says
 * that it is under that protection it gets no input, and without input it ends: there is no moment to slip through.
 */
export async function launch(storage: ExecStorage, input: LaunchInput): Promise<Launched> {
  const { slot } = input;
  const read = constants.O_RDONLY | constants.O_NONBLOCK;
  const readers: number[] = [];
  const writers: number[] = [];
  for (const pipe of [slot.pipes.stdout, slot.pipes.stderr, slot.pipes.log]) {
    readers.push(await openFile(pipe, read));
    writers.push(await openFile(pipe, "a"));
  }
  const [outFd = -1, errFd = -1, logFd = -1] = readers;
  const fromFile = input.stdin !== undefined && input.stdin !== "bundle";
  const stdinFd = fromFile ? await openFile(input.stdin, "r") : undefined;
  const child = spawn("setpriv", [...LAUNCH, script(storage, input)], {
    stdio: [stdinFd ?? "ignore", ...writers.slice(0, 2), "pipe", writers[2], slot.namespace.fd],
    env: { PATH: process.env.PATH ?? "" },
    detached: true,
    cwd: "/",
  });
  await Promise.all(
    [...writers, ...(stdinFd === undefined ? [] : [stdinFd])].map((fd) => closeFile(fd)),
  );

  const bundle = child.stdio[3] as Socket;
  bundle.on("error", unheard);
  const log = reader(logFd);
  const words: Buffer[] = [];
  log.once("data", () => {
    const archive = pack();
    archive.on("error", unheard);
    // An entry that is on the way fails with the archive, and by itself.
    for (const { name, content, ...owner } of input.files)
      archive.entry({ name, ...owner }, content).on("error", unheard);
    for (const name of ["state", ...input.overlays.map((overlay) => overlay.name)])
      archive.entry({ name, type: "directory", mode: 0o755 }).on("error", unheard);
    archive.finalize();
    archive.pipe(bundle);
  });
  log.on("data", (chunk: Buffer) => words.push(chunk));
  const pid = child.pid ?? 0;
  const stopLooking = endLeftovers(pid, input.bundle);
  const ended = new Promise<number>((resolve) => {
    child.once("error", (error) => {
      stopLooking();
      words.push(Buffer.from(`${error.message}\n`));
      resolve(1);
    });
    child.once("exit", (code, signal) => {
      stopLooking();
      bundle.destroy();
      resolve(code ?? 128 + (signal === "SIGTERM" ? 15 : 9));
    });
  });
  const logged = new Promise<void>((resolve) => log.once("close", resolve));
  return {
    pid,
    stdout: reader(outFd),
    stderr: reader(errFd),
    exited: Promise.all([ended, logged]).then(([exitCode]) => ({
      exitCode,
      failure: failureOf(Buffer.concat(words).toString()),
    })),
    kill: () => {
      child.kill("SIGKILL");
      bundle.destroy();
    },
    signal: (signal) => signalCommand(pid, input.bundle, signal),
  };
}

/** What goes to a command that has ended early: its log says why. */
function unheard(): void {
  // An error that nobody listens to would end the engine.
}

const LAUNCH = [
  ...["--pdeathsig", "KILL", "nsenter", "--net=/proc/self/fd/5"],
  ...[
    "unshare",
    "--mount",
    "--propagation",
    "private",
    "--pid",
    "--fork",
    "--kill-child",
    "--mount-proc",
  ],
  ...["sh", "-c"],
];

/** As in the store: a layer must not depend on what lies beside it. */
const OVERLAY = "index=off,metacopy=off,redirect_dir=nofollow,volatile";

/** File descriptors: 3 the bundle's archive, 4 the log, 5 the network namespace, 6 the command's stderr. */
function script(
  storage: ExecStorage,
  { runtime, bundle, overlays, folders, stdin }: LaunchInput,
): string {
  const at = quote(bundle);
  const lines = [
    "set -e; umask 022; exec 6>&2 2>&4 5<&-",
    // crun cannot work where both versions of cgroups are mounted; it needs neither.
    "[ ! -e /sys/fs/cgroup/unified/cgroup.controllers ] || umount -l /sys/fs/cgroup/unified",
    `mount -t tmpfs -o mode=711 slipway ${at}`,
    "echo ready >&4",
    `tar -xpf - -C ${at} <&3; exec 3<&-`,
  ];
  for (const { name, base, draft } of overlays) {
    const { cwd, lowers } = storage.overlayLowers(base);
    const upper = `upperdir=${relative(cwd, draft.upper)},workdir=${relative(cwd, draft.work)}`;
    const options = `lowerdir=${lowers.join(":")},${upper},${OVERLAY}`;
    lines.push(
      `cd ${quote(cwd)}; mount -t overlay -o ${quote(options)} overlay ${quote(`${bundle}/${name}`)}`,
    );
  }
  for (const { path, owner } of folders) {
    lines.push(`mkdir ${quote(`${bundle}/${path}`)}; chown ${owner} ${quote(`${bundle}/${path}`)}`);
  }
  lines.push(
    `cd ${at}; exec ${runtimeCommand(runtime)} 2>&6 6>&-${stdin === "bundle" ? " <stdin" : ""}`,
  );
  return lines.join("\n");
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function reader(fd: number): Socket {
  return new Socket({ fd, readable: true, writable: false });
}

function failureOf(log: string): string | undefined {
  const lines = log.split("\n").filter((line) => line !== "" && line !== "ready");
  const words = lines.flatMap((line) => {
    try {
      const entry = JSON.parse(line) as { level?: string; msg?: string };
      return entry.level === "error" || entry.level === "fatal" ? [entry.msg ?? ""] : [];
    } catch {
      return [line];
    }
  });
  return words.length === 0 ? undefined : words.join("\n");
}
