import type { BlobRef, LayerDraft, Snapshot } from "../store/types.js";

/**
 * Something that appears at `target` (absolute, in the container) besides the root file system.
 * Mounts are made in the order given, so a mount inside another one comes after it.
 */
export type Mount =
  /** `path` of `source` (symlinks in it are resolved inside of `source`); writable, what changes is kept. */
  | {
      readonly kind: "directory" | "file";
      readonly target: string;
      readonly source: Snapshot;
      readonly path: string;
      /** The container cannot write to it. */
      readonly readOnly?: boolean;
    }
  /** A persistent directory or file of the host, read-write (a cache volume). */
  | { readonly kind: "cache"; readonly target: string; readonly volumePath: string }
  /** An empty tmpfs; `size` in bytes, default: half of the memory. */
  | { readonly kind: "temp"; readonly target: string; readonly size?: number }
  /** A file that exists in memory only, read-only in the container. */
  | {
      readonly kind: "secret";
      readonly target: string;
      readonly content: Buffer;
      readonly uid: number;
      readonly gid: number;
      readonly mode: number;
    }
  /** A unix socket of the host. */
  | { readonly kind: "socket"; readonly target: string; readonly hostPath: string };

/** One process to run. Nothing reaches it that is not in here, except for proxy variables and trusted CAs. */
export interface ExecSpec {
  readonly rootfs: Snapshot;
  /** The command; `args[0]` is looked up in the container's PATH unless it has a slash. */
  readonly args: readonly string[];
  /** Also secret variables; their values go into `RunOptions.secrets` as well. */
  readonly env: Readonly<Record<string, string>>;
  /** Absolute; created, owned by the user, when missing. */
  readonly cwd: string;
  /** `""` (root), `name|uid[:group|gid]`, looked up in the root file system's /etc/passwd and /etc/group. */
  readonly user: string;
  /** Default `dagger`. */
  readonly hostname?: string;
  readonly mounts?: readonly Mount[];
  /** Default: empty. */
  readonly stdin?: Buffer | string | { readonly blob: string };
  /** Extra lines of /etc/hosts: name → address, e.g. of services. */
  readonly aliases?: Readonly<Record<string, string>>;
  readonly insecureRootCapabilities?: boolean;
  /** The command is process 1 itself, without anyone who reaps orphans. */
  readonly noInit?: boolean;
}

export type OutputStream = "stdout" | "stderr";

export interface RunOptions {
  /** Kills the whole process tree at once; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Called with scrubbed chunks as they arrive. */
  readonly onOutput?: ((stream: OutputStream, chunk: Buffer) => void) | undefined;
  /** Plaintexts that are replaced by `***` in all output. */
  readonly secrets?: readonly Buffer[] | undefined;
}

export interface ExecResult {
  /** 128 + n after signal n. */
  readonly exitCode: number;
  readonly stdout: BlobRef;
  readonly stderr: BlobRef;
  /** Both, in the order in which they arrived. */
  readonly combined: BlobRef;
  /** What changed. The caller commits or discards each draft, whatever the exit code is. */
  readonly rootfs: LayerDraft;
  /** Target → draft, for each `directory` and `file` mount. */
  readonly mounts: ReadonlyMap<string, LayerDraft>;
}

export interface ServicePort {
  readonly port: number;
  readonly protocol: "tcp" | "udp";
  /** Do not wait until it answers. UDP ports never are waited for. */
  readonly skipHealthcheck?: boolean;
}

/** A command in a service's container that says by its exit code whether the service is up. Times are milliseconds. */
export interface HealthCheck {
  readonly args: readonly string[];
  /** All that it gets: it sees no secret variables of the service. */
  readonly env: Readonly<Record<string, string>>;
  /** Between two tries. */
  readonly every: number;
  /** How long it may fail without that being counted. */
  readonly startPeriod: number;
  /** How often it may fail after that. */
  readonly retries: number;
}

export interface ServiceExit {
  readonly exitCode: number;
  /** The last 64 KiB of its scrubbed output. */
  readonly tail: string;
}

export interface RunningService {
  /** Reachable from all containers of this runner. */
  readonly ip: string;
  /** Resolves when the process has ended, whoever ended it. Never rejects. */
  readonly exited: Promise<ServiceExit>;
  /** SIGTERM, SIGKILL after ten seconds; at once with `kill`. Resolves when nothing of it is left. */
  stop(kill?: boolean): Promise<void>;
}

/** A way through the network that stays open until `close`. */
export interface Forward {
  readonly ip: string;
  /** The port that was asked for → the one to connect to at `ip`. */
  readonly ports: ReadonlyMap<number, number>;
  close(): Promise<void>;
}

export interface RunnerOptions {
  /** A folder of this engine alone, for mount points and sockets; nothing in it outlives the engine. */
  readonly root: string;
  /** Where proxy variables and SSL_CERT_FILE are read. Default: process.env. */
  readonly hostEnv?: Readonly<Record<string, string | undefined>>;
}

export interface PortForward {
  /** The port at the server's side. */
  readonly backend: number;
  /** The port at the client's side; 0: any free one; default: the same as `backend`. */
  readonly frontend?: number;
}
