import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";

import { hostArchitecture, type Architecture } from "../architecture.js";
import { cachePath } from "../cache.js";
import { run } from "../run.js";
import { ensureTool } from "../tools.js";
import { debianRoot, SLIM } from "./debian.js";
import { busyboxTar, NODE_PROGRAM, nodeTar, programTar, wheelTar } from "./files.js";
import { Layout, RECIPE, SOURCE_DATE_EPOCH, type Descriptor, type Layer } from "./oci.js";
import { title, type ImageSpec } from "./table.js";

/** Raise it when the way images are made changes and their table does not. */
const METHOD = 2;

const MANIFESTS =
  "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json";

/** What the stand-ins are made from, for their description. */
const ORIGINS: Record<ImageSpec["from"], string> = {
  busybox: "Debian packages",
  debian: "Debian packages",
  node: "Debian packages and Go modules",
  program: "a Go module",
  wheel: "a Python wheel",
};

/** An image in the registry. */
export interface Pushed {
  digest: string;
  /** Bytes of this machine's compressed layers. */
  size: number;
}

/**
 * Digest of all that decides what an image holds, but for the versions of Debian's packages: those
 * are the newest at the time of the build.
 */
async function recipeOf(image: ImageSpec): Promise<string> {
  const hash = createHash("sha256");
  const parts = { METHOD, SOURCE_DATE_EPOCH, architecture: hostArchitecture(), image };
  hash.update(JSON.stringify(parts));
  if (image.from === "debian" || image.from === "node") hash.update(await readFile(SLIM));
  if (image.from === "node") hash.update(await readFile(NODE_PROGRAM));
  return `sha256:${hash.digest("hex")}`;
}

/** The image in the registry, if all its tags are there and made by today's recipe. */
export async function findImage(image: ImageSpec, registry: string): Promise<Pushed | undefined> {
  const recipe = await recipeOf(image);
  const found = await Promise.all(image.tags.map((tag) => manifest(registry, image.name, tag)));
  const [first] = found;
  if (!first || found.some((each) => each?.digest !== first.digest)) return undefined;
  if (first.body.annotations?.[RECIPE] !== recipe) return undefined;
  const ours = first.body.manifests?.find(
    (each) => each.platform?.architecture === hostArchitecture(),
  );
  const single = ours ? await manifest(registry, image.name, ours.digest) : first;
  return { digest: first.digest, size: sizeOf(single?.body.layers ?? []) };
}

function sizeOf(layers: Descriptor[]): number {
  return layers.reduce((sum, { size }) => sum + size, 0);
}

/** Makes an image and pushes it under all its tags. */
export async function makeImage(image: ImageSpec, registry: string): Promise<void> {
  const scratch = await workFolder(title(image).replaceAll(/[^\w.]/g, "-"));
  try {
    const layout = new Layout(`${scratch}/layout`);
    await layout.finish(await fill(layout, image, `${scratch}/work`, registry));
    const crane = await ensureTool("crane");
    const [tag, ...others] = image.tags;
    const reference = `${registry}/${image.name}:${tag}`;
    await run(crane, ["push", layout.folder, reference]);
    for (const other of others) await run(crane, ["tag", reference, other]);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** A new folder to work in; those that processes left behind when they were killed go. */
async function workFolder(name: string): Promise<string> {
  const all = cachePath("build");
  await mkdir(all, { recursive: true });
  for (const each of await readdir(all)) {
    const owner = /^(\d+)-/.exec(each)?.[1];
    if (owner === undefined || !existsSync(`/proc/${owner}`)) {
      await rm(join(all, each), { recursive: true, force: true });
    }
  }
  return await mkdtemp(join(all, `${process.pid}-${name}-`));
}

async function fill(
  layout: Layout,
  image: ImageSpec,
  scratch: string,
  registry: string,
): Promise<Descriptor> {
  const annotations = { [RECIPE]: await recipeOf(image) };
  const architectures = image.from === "busybox" ? image.platforms : [hostArchitecture()];
  const descriptors: Descriptor[] = [];
  for (const architecture of architectures) {
    const folder = `${scratch}/${architecture}`;
    await mkdir(folder, { recursive: true });
    const { layers, env } = await content(layout, image, architecture, folder, registry);
    descriptors.push(
      await layout.addImage({
        ...image.defaults,
        architecture,
        layers,
        env: { ...image.defaults.env, ...env },
        labels: labels(image),
        annotations,
      }),
    );
  }
  const [only] = descriptors;
  return only && descriptors.length === 1 ? only : await layout.addIndex(descriptors, annotations);
}

/** An image's layers, and the environment that is only known once they are made. */
async function content(
  layout: Layout,
  image: ImageSpec,
  architecture: Architecture,
  scratch: string,
  registry: string,
): Promise<{ layers: Layer[]; env: Record<string, string> }> {
  const only = async (tar: Readable) => ({ layers: [await layout.addLayer(tar)], env: {} });
  if (image.from === "busybox") return await only(await busyboxTar(image, architecture, scratch));
  if (image.from === "wheel") return await only(await wheelTar(image, architecture, scratch));
  if (image.from === "program") return await only(await programTar(image));
  const { layer, env } = await debianRoot(
    image,
    architecture,
    scratch,
    async (tar) => await layout.addLayer(tar),
  );
  if (image.from === "debian") return { layers: [layer], env };
  return { layers: [layer, await layout.addLayer(await nodeTar(scratch, registry))], env };
}

function labels(image: ImageSpec): Record<string, string> {
  const origin = ORIGINS[image.from];
  return {
    "org.opencontainers.image.title": title(image),
    "org.opencontainers.image.description": `Slipway stand-in for ${title(image)}, made from ${origin}`,
    "io.slipway.stand-in": "true",
  };
}

interface Manifest {
  annotations?: Record<string, string>;
  manifests?: Descriptor[];
  layers?: Descriptor[];
}

async function manifest(
  registry: string,
  name: string,
  reference: string,
): Promise<{ digest: string; body: Manifest } | undefined> {
  const response = await fetch(`http://${registry}/v2/${name}/manifests/${reference}`, {
    headers: { accept: MANIFESTS },
  });
  const text = await response.text();
  if (!response.ok) return undefined;
  const digest = response.headers.get("docker-content-digest") ?? "";
  return { digest, body: JSON.parse(text) as Manifest };
}
