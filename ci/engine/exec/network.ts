import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type FileHandle, open } from "node:fs/promises";
import type { Readable, Writable } from "node:stream";

const MTU = 65520;
const SUBNET = "10.87";
const GATEWAY = `${SUBNET}.0.2`;
const RESOLVER = `${SUBNET}.0.3`;
const BRIDGE = `${SUBNET}.0.4`;
/** Enough for what runs at once on a small machine; more are made when needed, and kept. */
const PREPARED = 2;

/** A network namespace with an address, and named pipes for the output of the process that gets it. */
export interface Slot {
  readonly ip: string;
  readonly namespace: FileHandle;
  /** Named pipes: real ones, since a process cannot open /dev/stdout where that is a socket of Node's. */
  readonly pipes: { readonly stdout: string; readonly stderr: string; readonly log: string };
}

/**
 * A bridge in a network namespace of its own, connected to the outside by slirp4netns: user-mode networking, so that
 * nothing changes in the host. Each container gets a namespace connected to that bridge. Namespaces live as long as
 * a process or a file handle of this engine: the kernel removes them all when the engine dies.
 */
export class Network {
  readonly resolver = RESOLVER;
  private readonly free: Slot[] = [];
  private readonly pending = new Set<Promise<void>>();
  private made = 0;
  private closed = false;

  private constructor(
    private readonly root: string,
    private readonly router: ChildProcess,
    private readonly uplink: ChildProcess,
    /** To enter the router: `nsenter --net=<this>`. */
    readonly routerPath: string,
  ) {}

  static async create(root: string): Promise<Network> {
    const router = guarded("unshare", ["--net", "sh", "-c", ROUTER], ["pipe", "pipe", "pipe"]);
    await answer(router, router.stdout);
    const path = `/proc/${router.pid ?? 0}/ns/net`;
    const uplink = guarded(
      "slirp4netns",
      [
        ...["--ready-fd=3", "--exit-fd=4", `--mtu=${MTU}`, `--cidr=${SUBNET}.0.0/16`],
        ...["--disable-host-loopback", "--netns-type=path", path, "tap0"],
      ],
      ["ignore", "ignore", "pipe", "pipe", "pipe"],
    );
    try {
      await answer(uplink, uplink.stdio[3] as Readable);
      router.stdin?.write("\n");
      await answer(router, router.stdout);
    } catch (error) {
      router.kill("SIGKILL");
      uplink.kill("SIGKILL");
      throw error;
    }
    const network = new Network(root, router, uplink, path);
    for (let i = 0; i < PREPARED; i++) network.prepare();
    return network;
  }

  /** A namespace for one process. Give it back when the process is gone. */
  async acquire(): Promise<Slot> {
    for (;;) {
      const slot = this.free.pop();
      if (slot !== undefined) return slot;
      if (this.pending.size === 0) return this.make();
      await Promise.race(this.pending);
    }
  }

  /** With `tainted` (its processes could change it) it is not used again. */
  release(slot: Slot, tainted: boolean): void {
    if (tainted || this.closed) void slot.namespace.close();
    else this.free.push(slot);
  }

  /** One more address on the bridge, for servers that the engine runs there itself. */
  async addAddress(): Promise<string> {
    const ip = this.nextAddress();
    const script = `ip addr add ${ip}/16 dev br0 && echo`;
    const child = guarded("nsenter", [`--net=${this.routerPath}`, "sh", "-c", script], STDIO);
    await answer(child, child.stdout);
    return ip;
  }

  async close(): Promise<void> {
    this.closed = true;
    await Promise.allSettled(this.pending);
    await Promise.all(this.free.splice(0).map((slot) => slot.namespace.close()));
    await ended(this.uplink);
    await ended(this.router);
  }

  private prepare(): void {
    const job = this.make()
      .then((slot) => {
        this.release(slot, false);
      })
      .catch(() => undefined) // acquire() tries again, and reports
      .finally(() => this.pending.delete(job));
    this.pending.add(job);
  }

  private async make(): Promise<Slot> {
    const ip = this.nextAddress();
    const name = `s${this.made}`;
    const pipes = {
      stdout: `${this.root}/${name}.out`,
      stderr: `${this.root}/${name}.err`,
      log: `${this.root}/${name}.log`,
    };
    const script = slotScript(this.routerPath, name, ip);
    const args = ["--net", "sh", "-c", script, "sh", ...Object.values(pipes)];
    const child = guarded("unshare", args, ["pipe", "pipe", "pipe"]);
    await answer(child, child.stdout);
    const namespace = await open(`/proc/${child.pid ?? 0}/ns/net`);
    child.stdin?.end();
    return { ip, namespace, pipes };
  }

  private nextAddress(): string {
    const n = ++this.made;
    if (n > 254 * 254)
      throw new Error("the engine's network has no address left: restart the engine");
    return `${SUBNET}.${1 + Math.floor((n - 1) / 254)}.${1 + ((n - 1) % 254)}`;
  }
}

// The bridge has a MAC of its own: otherwise it takes over its first port's, which is the uplink's.
const ROUTER = `set -e
ip -batch - <<X
link set lo up
link add br0 mtu ${MTU} address 02:87:00:00:00:04 type bridge
addr add ${BRIDGE}/16 dev br0
link set br0 up
route add default via ${GATEWAY}
X
echo; read _
ip -batch - <<X
link set tap0 mtu ${MTU} master br0 up
X
echo; read _ || true`;

function slotScript(router: string, name: string, ip: string): string {
  return `set -e
mkfifo -m 666 "$@"
nsenter --net=${router} ip -batch - <<X
link add ${name} mtu ${MTU} type veth peer name eth0 mtu ${MTU} netns $$
link set ${name} master br0 up
X
ip -batch - <<X
link set lo up
addr add ${ip}/16 dev eth0
link set eth0 up
route add default via ${GATEWAY}
X
echo; read _ || true`;
}

const STDIO: ("pipe" | "ignore")[] = ["ignore", "pipe", "pipe"];

/** A child process that the kernel kills when this process dies, however it dies; not in the terminal's group. */
export function guarded(
  command: string,
  args: string[],
  stdio: ("pipe" | "ignore")[],
): ChildProcess {
  return spawn("setpriv", ["--pdeathsig", "KILL", command, ...args], { stdio, detached: true });
}

/** Waits until the child says something on `stream`; throws with what it complained about when it ends before that. */
export async function answer(
  child: ChildProcess,
  stream: Readable | Writable | null,
): Promise<void> {
  const complaints: Buffer[] = [];
  child.stderr?.on("data", (chunk: Buffer) => complaints.push(chunk));
  await new Promise<void>((resolve, reject) => {
    stream?.once("data", () => {
      resolve();
    });
    child.once("error", reject);
    child.once("close", (code) => {
      const why = Buffer.concat(complaints).toString().trim();
      const what = child.spawnargs.slice(3, 5).join(" ");
      reject(new Error(`network set-up (${what}) ended with code ${code ?? "none"}: ${why}`));
    });
  });
}

/** Kills a child unless it has ended, and waits for its end. */
export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}
