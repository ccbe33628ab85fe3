import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { join } from "node:path";

import { hostArchitecture, type Architecture } from "../architecture.js";
import { cachePath } from "../cache.js";
import { run } from "../run.js";
import { ensureTool } from "../tools.js";
import { debianRoot, SLIM } from "./debian.js";
import { busyboxTar, programTar, wheelTar } from "./files.js";
import { Layout, RECIPE, SOURCE_DATE_EPOCH, type Descriptor } from "./oci.js";
import { title, type ImageSpec } from "./table.js";

/** Raise it when the way images are made changes and their table does not. */
const METHOD = 2;

const MANIFESTS =
  "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json";

/** What the stand-ins are made from, for their description. */
const ORIGINS: Record<ImageSpec["from"], string> = {
  busybox: "Debian packages",
  debian: "Debian packages",
  program: "a Go module",
  wheel: "a Python wheel",
};

/** An image in the registry. */
export interface Pushed {
  digest: string;
  /** Bytes of this machine's compressed layer. */
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
  if (image.from === "debian") hash.update(await readFile(SLIM));
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
  return { digest: first.digest, size: single?.body.layers?.[0]?.size ?? 0 };
}

/** Makes an image and pushes it under all its tags. */
export async function makeImage(image: ImageSpec, registry: string): Promise<void> {
  const scratch = await workFolder(title(image).replaceAll(/[^\w.]/g, "-"));
  try {
    const layout = new Layout(`${scratch}/layout`);
    await layout.finish(await fill(layout, image, `${scratch}/work`));
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

async function fill(layout: Layout, image: ImageSpec, scratch: string): Promise<Descriptor> {
  const annotations = { [RECIPE]: await recipeOf(image) };
  const architectures = image.from === "busybox" ? image.platforms : [hostArchitecture()];
  const descriptors: Descriptor[] = [];
  for (const architecture of architectures) {
    const folder = `${scratch}/${architecture}`;
    await mkdir(folder, { recursive: true });
    const { layer, env } = await content(layout, image, architecture, folder);
    descriptors.push(
      await layout.addImage({
        ...image.defaults,
        architecture,
        layer,
        env: { ...image.defaults.env, ...env },
        labels: labels(image),
        annotations,
      }),
    );
  }
  const [only] = descriptors;
  return only && descriptors.length === 1 ? only : await layout.addIndex(descriptors, annotations);
}

/** An image's one layer, and the environment that is only known once it is made. */
async function content(
  layout: Layout,
  image: ImageSpec,
  architecture: Architecture,
  scratch: string,
): Promise<{ layer: Awaited<ReturnType<Layout["addLayer"]>>; env: Record<string, string> }> {
  if (image.from === "busybox") {
    return {
      layer: await layout.addLayer(await busyboxTar(image, architecture, scratch)),
      env: {},
    };
  }
  if (image.from === "wheel") {
    return { layer: await layout.addLayer(await wheelTar(image, architecture, scratch)), env: {} };
  }
  if (image.from === "program") {
    return { layer: await layout.addLayer(await programTar(image)), env: {} };
  }
  return await debianRoot(image, architecture, scratch, async (tar) => await layout.addLayer(tar));
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
