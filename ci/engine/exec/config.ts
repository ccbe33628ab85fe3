import type { ProcessUser } from "./user.js";
import type { ExecSpec, Mount } from "./types.js";

const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const DEFAULT_HOSTNAME = "dagger";
const PROXIES = ["HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"];
export const CA_BUNDLE = "/etc/ssl/certs/ca-certificates.crt";

/** All of Linux's capabilities; the index is the number. */
const CAPABILITIES = (
  "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE " +
  "NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN " +
  "SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE " +
  "MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"
).split(" ");
/** Docker's list without MKNOD: there is no device cgroup that would stop a made node from being opened. */
const USUAL = new Set(
  "CHOWN DAC_OVERRIDE FSETID FOWNER NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE".split(
    " ",
  ),
);

interface OciMount {
  destination: string;
  type: string;
  source: string;
  options: string[];
}

/** The part of the OCI runtime specification that is used here. */
export interface OciConfig {
  ociVersion: string;
  process: Record<string, unknown> & { args: readonly string[]; env: string[]; cwd: string };
  root: { path: string; readonly: boolean };
  hostname: string;
  mounts: OciMount[];
  linux: Record<string, unknown> & { namespaces: { type: string }[] };
}

export interface ConfigInput {
  readonly spec: ExecSpec;
  readonly user: ProcessUser;
  /** The folder with rootfs/, hosts, resolv.conf as the runtime sees it. */
  readonly bundle: string;
  /** For each mount of the spec, where the runtime finds its source; `""` for a tmpfs. */
  readonly sources: readonly string[];
  readonly hostEnv: Readonly<Record<string, string | undefined>>;
  /** The capabilities that the engine has, as bits: it cannot give others. */
  readonly available: bigint;
  /** The host's file with trusted certificates, if it has one. */
  readonly caBundle: string | undefined;
}

/**
 * What the OCI runtime is told. There is no network and no PID namespace in it: both exist before the runtime
 * starts, so that the runtime itself is process 1 and reaps orphans (except with `noInit`). There is no seccomp filter.
 */
export function ociConfig(input: ConfigInput): OciConfig {
  const { spec, user } = input;
  const all = spec.insecureRootCapabilities === true;
  const capabilities = CAPABILITIES.filter(
    (name, number) => (all || USUAL.has(name)) && ((input.available >> BigInt(number)) & 1n) === 1n,
  ).map((name) => `CAP_${name}`);
  return {
    ociVersion: "1.0.2",
    process: {
      terminal: false,
      user: { uid: user.uid, gid: user.gid, additionalGids: user.groups },
      args: spec.args,
      env: environment(spec, input.hostEnv),
      cwd: spec.cwd,
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
      noNewPrivileges: false,
    },
    root: { path: "rootfs", readonly: false },
    hostname: spec.hostname ?? DEFAULT_HOSTNAME,
    mounts: [...systemMounts(all), ...fileMounts(input), ...userMounts(input)],
    linux: {
      namespaces: [...(spec.noInit === true ? ["pid"] : []), "mount", "ipc", "uts"].map((type) => ({
        type,
      })),
      ...(all ? { devices: DEVICES } : { maskedPaths: MASKED, readonlyPaths: READONLY }),
    },
  };
}

/** Devices that root's capabilities come with, as on Dagger (its `WithInsecureSpec`): path, major, minor. */
const DEVICES = [
  ...(
    [
      ["kmsg", 1, 11],
      ["cuse", 10, 203],
      ["fuse", 10, 229],
      ["kvm", 10, 232],
      ["net/tun", 10, 200],
      ["loop-control", 10, 237],
    ] as const
  ).map(([name, major, minor]) => ({ path: `/dev/${name}`, type: "c", major, minor })),
  ...Array.from({ length: 8 }, (_, minor) => ({
    ...{ path: `/dev/loop${minor}`, type: "b" },
    ...{ major: 7, minor },
  })),
];

const MASKED = [
  ...[
    "acpi",
    "asound",
    "interrupts",
    "kcore",
    "keys",
    "latency_stats",
    "timer_list",
    "timer_stats",
  ],
  ...["sched_debug", "scsi"],
]
  .map((name) => `/proc/${name}`)
  .concat("/sys/firmware", "/sys/devices/virtual/powercap");

const READONLY = ["bus", "fs", "irq", "sys", "sysrq-trigger"].map((name) => `/proc/${name}`);

/** `KEY=value` lines; the host's proxy settings are added in both spellings where the container has none. */
function environment(spec: ExecSpec, host: ConfigInput["hostEnv"]): string[] {
  const env: Record<string, string | undefined> = { ...spec.env };
  for (const upper of PROXIES) {
    const lower = upper.toLowerCase();
    const value = env[upper] ?? env[lower] ?? host[upper] ?? host[lower];
    if (value === undefined) continue;
    env[upper] ??= value;
    env[lower] ??= value;
  }
  return variables(env);
}

/** `KEY=value` lines, and where commands are found unless that is among them. */
export function variables(env: Readonly<Record<string, string | undefined>>): string[] {
  const whole: typeof env = { ...env, PATH: env.PATH ?? DEFAULT_PATH };
  return Object.entries(whole).map(([key, value]) => `${key}=${value ?? ""}`);
}

function systemMounts(all: boolean): OciMount[] {
  const mount = (destination: string, type: string, options: string): OciMount => ({
    destination,
    type,
    source: type,
    options: options.split(","),
  });
  const access = all ? "rw" : "ro";
  return [
    mount("/proc", "proc", "nosuid,noexec,nodev"),
    // nodev, with the usual devices bound one by one: what a process makes in /dev is not a device.
    mount("/dev", "tmpfs", `nosuid,${all ? "" : "nodev,"}strictatime,mode=755,size=65536k`),
    ...(all ? [] : ["null", "zero", "full", "random", "urandom", "tty"]).map((name) => ({
      destination: `/dev/${name}`,
      type: "bind",
      source: `/dev/${name}`,
      options: ["bind", "nosuid", "noexec"],
    })),
    mount("/dev/pts", "devpts", "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5"),
    mount("/dev/shm", "tmpfs", "nosuid,noexec,nodev,mode=1777,size=65536k"),
    mount("/dev/mqueue", "mqueue", "nosuid,noexec,nodev"),
    mount("/sys", "sysfs", `nosuid,noexec,nodev,${access}`),
    ...(all ? [mount("/sys/fs/cgroup", "cgroup", "nosuid,noexec,nodev,relatime,rw")] : []),
  ];
}

function fileMounts({ bundle, caBundle }: ConfigInput): OciMount[] {
  const files: [string, string][] = [
    ["/etc/resolv.conf", `${bundle}/resolv.conf`],
    ["/etc/hosts", `${bundle}/hosts`],
  ];
  if (caBundle !== undefined) files.push([CA_BUNDLE, caBundle]);
  return files.map(([destination, source]) => ({
    destination,
    type: "bind",
    source,
    options: ["bind", "ro", "nosuid", "nodev", "noexec"],
  }));
}

function userMounts({ spec, sources }: ConfigInput): OciMount[] {
  const device = spec.insecureRootCapabilities === true ? [] : ["nodev"];
  return (spec.mounts ?? []).map((mount, index): OciMount => {
    const destination = mount.target;
    if (mount.kind === "temp") {
      const size = mount.size === undefined ? [] : [`size=${mount.size}`];
      return {
        destination,
        type: "tmpfs",
        source: "tmpfs",
        options: ["nosuid", "mode=1777", ...device, ...size],
      };
    }
    return {
      destination,
      type: "bind",
      source: sources[index] ?? "",
      options: ["rbind", ...device, ...accessOptions(mount)],
    };
  });
}

function accessOptions(mount: Mount): string[] {
  if (mount.kind === "secret") {
    return ["ro", "nosuid", ...((mount.mode & 0o111) === 0 ? ["noexec"] : [])];
  }
  return (mount.kind === "directory" || mount.kind === "file") && mount.readOnly === true
    ? ["ro"]
    : [];
}

/** /etc/hosts as Dagger writes it. */
export function hostsFile(spec: ExecSpec): string {
  const aliases = Object.entries(spec.aliases ?? {}).map(([name, ip]) => `${ip}\t${name}\n`);
  const names = `localhost ${spec.hostname ?? DEFAULT_HOSTNAME}`;
  return `127.0.0.1\t${names}\n::1\tlocalhost ip6-localhost ip6-loopback\n${aliases.join("")}`;
}

/** /etc/resolv.conf: the network's own resolver, and the host's search domains and options. */
export function resolvConf(nameserver: string, host: string): string {
  const kept = host.split("\n").filter((line) => /^\s*(search|domain|options)\s/.test(line));
  return `nameserver ${nameserver}\n${kept.map((line) => `${line.trim()}\n`).join("")}`;
}
