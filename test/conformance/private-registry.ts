import { createHash, randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A registry in memory on a loopback port that asks for a user name and a password. */
export interface PrivateRegistry {
  /** host:port */
  readonly address: string;
  readonly username: string;
  readonly password: string;
  close(): Promise<void>;
}

/** Starts one: enough of the distribution protocol to push one image and pull it again. */
export async function startPrivateRegistry(): Promise<PrivateRegistry> {
  const username = "conformance";
  const password = randomUUID();
  const expected = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
  const store = new Store();
  const server = createServer((request, response) => {
    if (request.headers.authorization !== expected) {
      request.resume();
      response.writeHead(401, { "WWW-Authenticate": 'Basic realm="conformance"' });
      response.end('{"errors":[{"code":"UNAUTHORIZED","message":"credentials are needed"}]}');
      return;
    }
    store.answer(request, response).catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  return {
    address: `127.0.0.1:${String(port)}`,
    username,
    password,
    close: () =>
      new Promise((closed) => {
        server.close(() => {
          closed();
        });
        server.closeAllConnections();
      }),
  };
}

interface Content {
  type: string;
  body: Buffer;
}

class Store {
  readonly #contents = new Map<string, Content>();
  readonly #uploads = new Map<string, Buffer>();

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://registry");
    const body = await read(request);
    const match = /^\/v2\/(.+)\/(blobs|manifests)\/(.*)$/.exec(url.pathname);
    if (!match) {
      response.writeHead(url.pathname === "/v2/" ? 200 : 404).end();
      return;
    }
    const [, , kind = "", rest = ""] = match;
    if (rest.startsWith("uploads/")) {
      this.#upload(request.method ?? "", url, rest.slice("uploads/".length), body, response);
    } else if (request.method === "PUT" && kind === "manifests") {
      const digest = digestOf(body);
      const content = { type: request.headers["content-type"] ?? "", body };
      this.#contents.set(rest, content).set(digest, content);
      response.writeHead(201, { "Docker-Content-Digest": digest, Location: url.pathname }).end();
    } else {
      this.#get(request.method ?? "", rest, response);
    }
  }

  #upload(method: string, url: URL, id: string, body: Buffer, response: ServerResponse): void {
    const upload = method === "POST" ? randomUUID() : id;
    const whole = Buffer.concat([this.#uploads.get(upload) ?? Buffer.alloc(0), body]);
    const digest = url.searchParams.get("digest");
    const path = url.pathname.replace(/uploads\/.*$/, "");
    if (digest === null) {
      this.#uploads.set(upload, whole);
      const Location = `${path}uploads/${upload}`;
      const Range = `0-${String(Math.max(0, whole.length - 1))}`;
      response.writeHead(202, { Location, Range, "Docker-Upload-UUID": upload }).end();
    } else if (digest === digestOf(whole)) {
      this.#contents.set(digest, { type: "application/octet-stream", body: whole });
      response.writeHead(201, { Location: path + digest, "Docker-Content-Digest": digest }).end();
    } else {
      response.writeHead(400).end('{"errors":[{"code":"DIGEST_INVALID"}]}');
    }
  }

  #get(method: string, reference: string, response: ServerResponse): void {
    const content = this.#contents.get(reference);
    if (!content) {
      response.writeHead(404).end('{"errors":[{"code":"NOT_FOUND"}]}');
      return;
    }
    response.writeHead(200, {
      "Content-Type": content.type,
      "Content-Length": content.body.length,
      "Docker-Content-Digest": digestOf(content.body),
    });
    response.end(method === "HEAD" ? undefined : content.body);
  }
}

function digestOf(body: Buffer): string {
  return `sha256:${createHash("sha256").update(body).digest("hex")}`;
}

async function read(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
