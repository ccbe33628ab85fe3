import { spawn } from "node:child_process";
import { access, constants, readFile, statfs } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { text } from "node:stream/consumers";
import { CA_BUNDLE } from "./config.js";

/** One thing that containers need of the machine. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** What was found. */
  readonly detail: string;
  /** What to do about it; `""` when it is fine. */
  readonly fix: string;
  /** False: containers run without it, but not as well. */
  readonly required: boolean;
}

/** This machine cannot run containers; the message names all that is missing, and what to do. */
class DoctorError extends Error {
  constructor(readonly checks: readonly Check[]) {
    const lines = checks.map(({ name, detail, fix }) => `  ${name}: ${detail} - ${fix}`);
    super(`This machine cannot run containers:\n${lines.join("\n")}`);
  }
}

const LEAST_SPACE = 2 * 1024 ** 3;
const RUNTIMES = ["crun", "runc"];
/** Command → Debian package. */
const TOOLS = {
  slirp4netns: "slirp4netns",
  ip: "iproute2",
  nsenter: "util-linux",
  unshare: "util-linux",
  setpriv: "util-linux",
  mount: "mount",
  tar: "tar",
  mkfifo: "coreutils",
};

/** Examines the machine; `root` is the folder where layers are going to be. Takes some 20 ms, changes nothing. */
export async function doctor(root: string): Promise<Check[]> {
  const runtime = await firstOf(RUNTIMES);
  const tools = Object.entries(TOOLS).map(async ([tool, debian]) => {
    const found = await firstOf([tool]);
    return check(
      tool,
      found !== undefined,
      found?.path ?? "not found in PATH",
      `install ${debian}`,
    );
  });
  const uid = process.getuid?.();
  return [
    check(
      "root",
      uid === 0,
      uid === 0 ? "running as root" : `running as user ${uid ?? "?"}`,
      "run as root (sudo), in a privileged container, or use Dagger's engine (--engine dagger)",
    ),
    check(
      "OCI runtime",
      runtime !== undefined,
      runtime?.path ?? `none of ${RUNTIMES.join(", ")} in PATH`,
      "install crun",
    ),
    ...(await Promise.all(tools)),
    await overlay(),
    await namespaces(),
    await tunDevice(),
    await space(root),
    await certificates(),
  ];
}

/** The runtime to use. Throws `DoctorError` when something required is missing. */
export async function requireEverything(root: string): Promise<{ runtime: string }> {
  const missing = (await doctor(root)).filter(({ ok, required }) => required && !ok);
  const runtime = await firstOf(RUNTIMES);
  if (missing.length > 0 || runtime === undefined) throw new DoctorError(missing);
  return { runtime: runtime.name };
}

function check(name: string, ok: boolean, detail: string, fix: string, required = true): Check {
  return { name, ok, detail, fix: ok ? "" : fix, required };
}

async function firstOf(
  names: readonly string[],
): Promise<{ name: string; path: string } | undefined> {
  for (const name of names) {
    for (const folder of (process.env.PATH ?? "").split(delimiter)) {
      const path = join(folder, name);
      if (await allowed(path, constants.X_OK)) return { name, path };
    }
  }
  return undefined;
}

function allowed(path: string, mode: number): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}

async function overlay(): Promise<Check> {
  const known = (await readFile("/proc/filesystems", "utf8").catch(() => "")).includes("overlay");
  const detail = known ? "known to the kernel" : "not in /proc/filesystems";
  return check("overlayfs", known, detail, "load the kernel module: modprobe overlay");
}

/** Tries it: what a sandbox or a container forbids shows only then. */
async function namespaces(): Promise<Check> {
  const trial = "mount -t tmpfs slipway /tmp && ip link add slipway0 type bridge";
  const child = spawn(
    "unshare",
    ["--mount", "--pid", "--fork", "--mount-proc", "--net", "--ipc", "--uts", "sh", "-c", trial],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  const code = new Promise<number>((resolve) => {
    child.once("error", () => {
      resolve(127);
    });
    child.once("close", (exit) => {
      resolve(exit ?? 1);
    });
  });
  const [complaint, exit] = await Promise.all([text(child.stderr).catch(() => ""), code]);
  return check(
    "namespaces",
    exit === 0,
    exit === 0 ? "mount, pid, net, ipc, uts; bridges" : complaint.trim() || "unshare did not run",
    "allow namespaces and mounts: a container needs --privileged, a kernel CONFIG_BRIDGE and CONFIG_VETH",
  );
}

async function tunDevice(): Promise<Check> {
  const usable = await allowed("/dev/net/tun", constants.R_OK | constants.W_OK);
  return check(
    "/dev/net/tun",
    usable,
    usable ? "usable" : "missing or not accessible",
    "load the kernel module (modprobe tun), or give the container --device /dev/net/tun",
  );
}

async function space(root: string): Promise<Check> {
  let folder = root;
  while (!(await allowed(folder, constants.F_OK))) folder = join(folder, "..");
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const gib = (free / 1024 ** 3).toFixed(1);
  return check(
    "disk space",
    free >= LEAST_SPACE,
    `${gib} GiB free in ${folder}`,
    "free at least 2 GiB, or move the cache with SLIPWAY_CACHE",
    false,
  );
}

async function certificates(): Promise<Check> {
  const file = process.env.SSL_CERT_FILE ?? CA_BUNDLE;
  const found = await allowed(file, constants.R_OK);
  return check(
    "CA certificates",
    found,
    found ? file : `${file} is not readable`,
    "install ca-certificates, or point SSL_CERT_FILE at your bundle; containers use their own until then",
    false,
  );
}
