import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";

import { TAR_END, tarHeader, type TarHeader } from "../../../../ci/engine/images/tar.js";

type Fault = (request: IncomingMessage, response: ServerResponse) => boolean;

/** A registry that a test fills by hand and lets fail in a chosen way. */
export interface FaultyRegistry {
  address: string;
  /** Requests as `METHOD path`, in order. */
  log: string[];
  /** Looks at each request first; what it answers is not answered again. */
  fault: Fault;
  blobs: Map<string, Buffer>;
  add(content: Buffer): { digest: string; size: number };
  /** Puts an image of these layers (plain tars) under a tag; returns the manifest's digest. */
  image(tag: string, layers: Buffer[], platform?: { os: string; architecture: string }): string;
  stop(): Promise<void>;
}

export async function faultyRegistry(): Promise<FaultyRegistry> {
  const blobs = new Map<string, Buffer>();
  const tags = new Map<string, string>();
  const server = createServer((request, response) => {
    registry.log.push(`${request.method ?? ""} ${request.url ?? ""}`);
    if (registry.fault(request, response)) return;
    const [, kind, name = ""] = /^\/v2\/.+\/(blobs|manifests)\/(.+)$/.exec(request.url ?? "") ?? [];
    const body = blobs.get(tags.get(name) ?? name);
    if (!kind || !body) {
      response.writeHead(404).end('{"errors":[{"code":"NOT_FOUND","message":"no such thing"}]}');
      return;
    }
    const { mediaType = "application/octet-stream" } = (
      kind === "manifests" ? JSON.parse(body.toString()) : {}
    ) as { mediaType?: string };
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
    response
      .writeHead(from > 0 ? 206 : 200, { "content-type": mediaType })
      .end(body.subarray(from));
  });
  const registry: FaultyRegistry = {
    address: "",
    log: [],
    fault: () => false,
    blobs,
    add: (content) => {
      const digest = `sha256:${createHash("sha256").update(content).digest("hex")}`;
      blobs.set(digest, content);
      return { digest, size: content.length };
    },
    image: (tag, layers, platform = { os: "linux", architecture: "amd64" }) => {
      const rootfs = {
        type: "layers",
        diff_ids: layers.map((layer) => registry.add(layer).digest),
      };
      const config = registry.add(Buffer.from(JSON.stringify({ ...platform, rootfs })));
      const mediaType = "application/vnd.oci.image.manifest.v1+json";
      const manifest = {
        schemaVersion: 2,
        mediaType,
        config: { mediaType: "application/vnd.oci.image.config.v1+json", ...config },
        layers: layers.map((layer) => ({
          mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
          ...registry.add(gzipSync(layer)),
        })),
      };
      const { digest } = registry.add(Buffer.from(JSON.stringify(manifest)));
      tags.set(tag, digest);
      return digest;
    },
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => {
          resolve();
        });
      }),
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  registry.address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return registry;
}

/** A tar of these entries; text is a file's content. */
export function tar(...entries: (TarHeader & { text?: string })[]): Buffer {
  const parts = entries.flatMap(({ text = "", ...header }) => {
    const body = Buffer.from(text);
    const fill = Buffer.alloc((512 - (body.length % 512)) % 512);
    return [tarHeader({ ...header, size: body.length }), body, fill];
  });
  return Buffer.concat([...parts, TAR_END]);
}

export const file = (name: string, text = ""): TarHeader & { text: string } => ({
  name,
  type: "file",
  mode: 0o644,
  text,
});

export const folder = (name: string, mode = 0o755): TarHeader => ({
  name,
  type: "directory",
  mode,
});
