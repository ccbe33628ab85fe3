import type { ChildProcess } from "node:child_process";
import {
  connect,
  createServer,
  type AddressInfo,
  type Server,
  type ServerOpts,
  type Socket,
} from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { answer, ended, guarded, type Network } from "./network.js";
import type { Forward, PortForward } from "./types.js";

/** Ways between the host's loopback and the containers' network, through one relay process inside of that. */
export class Forwards {
  private relay: Promise<ChildProcess> | undefined;
  private readonly open = new Set<() => Promise<void>>();
  private sockets = 0;

  constructor(
    private readonly root: string,
    private readonly network: Network,
  ) {}

  /** Resolves when something accepts a connection at `ip`:`port`; rejects with the reason when it does not now. */
  async probe(ip: string, port: number): Promise<void> {
    (await this.order({ connect: { host: ip, port } })).socket.destroy();
  }

  /** Containers → host: an address in the containers' network whose ports lead to `host`, seen from this process. */
  async expose(ports: readonly PortForward[], host: string): Promise<Forward> {
    const ip = await this.network.addAddress();
    return this.forward(ip, ports, async ({ backend, frontend }) => {
      const path = join(this.root, `f${++this.sockets}.sock`);
      const [server, end] = serve({ allowHalfOpen: true }, (guest) => {
        bridge(guest, connect({ host, port: backend, allowHalfOpen: true }));
      });
      await listening(server, () => server.listen(path));
      const listen = { host: ip, port: frontend ?? backend, socket: path };
      const { socket, port } = await this.order({ listen }).catch(async (error: unknown) => {
        await end();
        throw error;
      });
      const close = (): Promise<void> => {
        socket.destroy();
        return end();
      };
      return { port, close };
    });
  }

  /** Host → a container: ports of the host's loopback that lead to `ip`. */
  async tunnel(ip: string, ports: readonly PortForward[]): Promise<Forward> {
    return this.forward("127.0.0.1", ports, async ({ backend, frontend }) => {
      const [server, close] = serve({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
        client.on("error", () => client.destroy());
        this.order({ connect: { host: ip, port: backend } })
          .then(({ socket }) => {
            bridge(client, socket);
          })
          .catch(() => client.destroy()); // refused there: refused here
      });
      await listening(server, () => server.listen(frontend ?? backend, "127.0.0.1"));
      return { port: (server.address() as AddressInfo).port, close };
    });
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.open].map((close) => close()));
    const relay = await this.relay?.catch(() => undefined);
    if (relay !== undefined) await ended(relay);
  }

  private async forward(
    ip: string,
    wanted: readonly PortForward[],
    make: (port: PortForward) => Promise<{ port: number; close: () => Promise<void> }>,
  ): Promise<Forward> {
    const ports = new Map<number, number>();
    const closers: (() => Promise<void>)[] = [];
    const close = async (): Promise<void> => {
      this.open.delete(close);
      await Promise.all(closers.splice(0).map((end) => end()));
    };
    this.open.add(close);
    try {
      for (const port of wanted) {
        const made = await make(port);
        closers.push(made.close);
        ports.set(port.backend, made.port);
      }
    } catch (error) {
      await close();
      throw error;
    }
    return { ip, ports, close };
  }

  /** Gives an order to the relay. The socket is paused. */
  private async order(order: object): Promise<{ socket: Socket; port: number }> {
    this.relay ??= this.startRelay();
    await this.relay;
    const socket = connect({ path: this.relaySocket, allowHalfOpen: true });
    socket.write(`${JSON.stringify(order)}\n`);
    const [line, rest] = await new Promise<[string, Buffer]>((resolve, reject) => {
      let head = Buffer.alloc(0);
      socket.once("error", reject);
      socket.once("close", () => {
        reject(new Error("the relay ended"));
      });
      socket.on("data", function read(chunk: Buffer) {
        head = Buffer.concat([head, chunk]);
        const end = head.indexOf("\n");
        if (end < 0) return;
        socket.pause().off("data", read);
        resolve([head.subarray(0, end).toString(), head.subarray(end + 1)]);
      });
    });
    if (!line.startsWith("ok")) {
      socket.destroy();
      throw new Error(line);
    }
    if (rest.length > 0) socket.unshift(rest);
    return { socket, port: Number(line.slice(3)) };
  }

  private get relaySocket(): string {
    return join(this.root, "relay.sock");
  }

  private async startRelay(): Promise<ChildProcess> {
    const script = fileURLToPath(new URL("relay.mjs", import.meta.url));
    const args = [`--net=${this.network.routerPath}`, process.execPath, script, this.relaySocket];
    const child = guarded("nsenter", args, ["ignore", "pipe", "pipe"]);
    await answer(child, child.stdout);
    return child;
  }
}

function bridge(a: Socket, b: Socket): void {
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    from.pipe(to);
    from.on("error", () => to.destroy());
    // After a proper end `to` still has to pass on what it was given.
    from.on("close", () => {
      if (!from.readableEnded) to.destroy();
    });
  }
}

async function listening(server: Server, listen: () => unknown): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.once("listening", resolve);
    listen();
  });
}

/** A server, and what ends it together with all its connections. */
function serve(
  options: ServerOpts,
  onClient: (client: Socket) => void,
): [Server, () => Promise<void>] {
  const clients = new Set<Socket>();
  const server = createServer(options, (client) => {
    clients.add(client);
    client.on("close", () => clients.delete(client));
    onClient(client);
  });
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => {
        resolve();
      });
      for (const client of clients) client.destroy();
    });
  return [server, close];
}
