import assert from "node:assert/strict";
import { createReadStream } from "node:fs";

import { extract } from "tar-stream";

interface Descriptor {
  digest: string;
  mediaType: string;
  platform?: { architecture: string; os: string };
  annotations?: Record<string, string>;
}

export interface Manifest {
  config: Descriptor;
  layers: Descriptor[];
  annotations?: Record<string, string>;
}

export interface ImageConfig {
  architecture: string;
  config: Record<string, unknown>;
  rootfs: { diff_ids: string[] };
}

/** The files of an OCI layout in a tar, by name. */
export async function layout(path: string): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  const tar = createReadStream(path).pipe(extract());
  for await (const entry of tar) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    files.set(entry.header.name, Buffer.concat(chunks));
  }
  return files;
}

export function json(files: Map<string, Buffer>, name: string): unknown {
  const file = files.get(name);
  assert.ok(file, `no ${name} in the archive`);
  return JSON.parse(file.toString());
}

export function blob(files: Map<string, Buffer>, { digest }: Descriptor): unknown {
  return json(files, `blobs/${digest.replace(":", "/")}`);
}

export function manifestsOf(index: unknown): Descriptor[] {
  return (index as { manifests: Descriptor[] }).manifests;
}
