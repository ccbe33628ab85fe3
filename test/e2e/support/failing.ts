import { once } from "node:events";
import { createServer, request, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A registry in front of another one, that can break down. */
export interface FailingRegistry {
  readonly address: string;
  /** Manifests that are still taken before everything fails; undefined while nothing fails. */
  left: number | undefined;
  /** Requests that fail besides, as `METHOD path`. */
  refused: RegExp | undefined;
  /** Told of each manifest that was taken, by its tag or digest, before whoever put it is answered. */
  taken: ((reference: string) => Promise<void>) | undefined;
  /** Manifests that were put since the start. */
  readonly put: () => number;
  stop: () => Promise<void>;
}

/** Starts a registry that passes everything on to `upstream` (`host:port`) until it fails. */
export async function failingRegistry(upstream: string): Promise<FailingRegistry> {
  let put = 0;
  const state: Pick<FailingRegistry, "left" | "refused" | "taken"> = {
    left: undefined,
    refused: undefined,
    taken: undefined,
  };
  const server = createServer((asked, answer) => {
    const isPut = asked.method === "PUT" && asked.url?.includes("/manifests/") === true;
    const isOver = state.left !== undefined && (state.left < 0 || (isPut && --state.left < 0));
    if (isOver || state.refused?.test(`${asked.method ?? ""} ${asked.url ?? ""}`) === true) {
      asked.resume();
      answer.writeHead(503, { "content-type": "application/json" });
      answer.end('{"errors":[{"code":"UNAVAILABLE","message":"the disk is full"}]}');
      return;
    }
    if (isPut) put += 1;
    const reference = asked.url?.split("/").at(-1) ?? "";
    forward(upstream, asked, answer, async () => {
      if (isPut) await state.taken?.(reference);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return Object.assign(state, {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    put: () => put,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  });
}

function forward(
  upstream: string,
  asked: IncomingMessage,
  answer: ServerResponse,
  before: () => Promise<void>,
): void {
  const [host, port] = upstream.split(":");
  const passed = request(
    { host, port, method: asked.method, path: asked.url, headers: asked.headers },
    (given) => {
      void before().then(() => {
        answer.writeHead(given.statusCode ?? 502, given.headers);
        given.pipe(answer);
      });
    },
  );
  passed.once("error", () => answer.destroy());
  asked.pipe(passed);
}
