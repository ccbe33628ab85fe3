import { once } from "node:events";
import { createServer, request, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A registry in front of another one, that can break down. */
export interface FailingRegistry {
  readonly address: string;
  /** Manifests that are still taken before everything fails; undefined while nothing fails. */
  left: number | undefined;
  /** Manifests that were put since the start. */
  readonly put: () => number;
  stop: () => Promise<void>;
}

/** Starts a registry that passes everything on to `upstream` (`host:port`) until it fails. */
export async function failingRegistry(upstream: string): Promise<FailingRegistry> {
  let put = 0;
  const state: { left: number | undefined } = { left: undefined };
  const server = createServer((asked, answer) => {
    const isPut = asked.method === "PUT" && asked.url?.includes("/manifests/") === true;
    if (state.left !== undefined && (state.left < 0 || (isPut && --state.left < 0))) {
      asked.resume();
      answer.writeHead(503, { "content-type": "application/json" });
      answer.end('{"errors":[{"code":"UNAVAILABLE","message":"the disk is full"}]}');
      return;
    }
    if (isPut) put += 1;
    forward(upstream, asked, answer);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    get left() {
      return state.left;
    },
    set left(value) {
      state.left = value;
    },
    put: () => put,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function forward(upstream: string, asked: IncomingMessage, answer: ServerResponse): void {
  const [host, port] = upstream.split(":");
  const passed = request(
    { host, port, method: asked.method, path: asked.url, headers: asked.headers },
    (given) => {
      answer.writeHead(given.statusCode ?? 502, given.headers);
      given.pipe(answer);
    },
  );
  passed.once("error", () => answer.destroy());
  asked.pipe(passed);
}
