import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { cachePath, withLock } from "../../../../ci/sandbox/cache.js";
import { Api } from "../../../../ci/sandbox/cluster/api.js";
import {
  ensureCluster,
  startCluster,
  type Cluster,
} from "../../../../ci/sandbox/cluster/cluster.js";
import { registryAddress, type Credentials } from "../../../../ci/sandbox/registry.js";
import { run } from "../../../../ci/sandbox/run.js";
import {
  serviceImage,
  signedServiceImage,
  type ServiceImage,
  type Variant,
} from "../../../../ci/sandbox/service.js";
import { ensureTool } from "../../../../ci/sandbox/tools.js";
import { makeKeys, PASSWORD } from "../../support/evidence.js";
import { programImages } from "../../support/programs.js";
import { scratch, write } from "../../support/project.js";
import { connectTo } from "../../support/sdk.js";
import { openSession } from "../../support/session.js";

/** Where the cases of a file play: a cluster, an engine with the module, and images that are signed. */
export interface Stage {
  readonly cluster: Cluster;
  /** Lines that the functions printed for whoever looks on. */
  readonly said: readonly string[];
  /** The cluster's API server. */
  readonly api: Api;
  /** Folder with `cosign.pub`, the key that the images are signed with. */
  readonly keys: string;
  /** A variant of the test service, signed with the tests' key. */
  readonly image: (variant: Variant) => Promise<ServiceImage>;
  readonly close: () => Promise<void>;
}

export interface StageOptions {
  readonly prometheus?: boolean;
  readonly mlflow?: boolean;
}

/** Starts what a file needs; the files share the working copy's cluster, which the first starts and which stays. */
export async function openStage(options: StageOptions = {}): Promise<Stage> {
  const [cluster, hall] = await Promise.all([ensureCluster(options), openHall()]);
  return await hall.stage(cluster, hall.close);
}

/** For faults of the cluster itself: each stage has one of its own, which goes with it. */
export async function openStages(): Promise<{
  readonly open: () => Promise<Stage>;
  readonly close: () => Promise<void>;
}> {
  const hall = await openHall();
  let opened = 0;
  return {
    open: async () => {
      const cluster = await startCluster({ name: `own-${process.pid}-${opened++}` });
      return await hall.stage(cluster, () => cluster.stop());
    },
    close: hall.close,
  };
}

/** What stages share: the engine and the tests' key. */
interface Hall {
  /** A stage in a cluster, and what else ends with it. */
  readonly stage: (cluster: Cluster, end: () => Promise<void>) => Promise<Stage>;
  readonly close: () => Promise<void>;
}

async function openHall(): Promise<Hall> {
  await programImages();
  const [session, keys] = await Promise.all([openSession(), testKeys()]);
  const disconnect = await connectTo(session);
  const said: string[] = [];
  console.log = (...words: unknown[]) => said.push(words.map(String).join(" "));
  return {
    stage: async (cluster, end) => {
      const api = await Api.connect(cluster.credentials);
      return {
        ...{ cluster, said, api, keys },
        image: (variant) => signed(variant, keys),
        close: async () => {
          api.close();
          await end();
        },
      };
    },
    close: async () => {
      await disconnect();
      await session.close();
    },
  };
}

/** One pair of keys for all runs, so that an image is signed once. */
async function testKeys(): Promise<string> {
  const folder = cachePath("e2e-keys");
  await withLock("e2e-keys", async () => {
    if (!existsSync(join(folder, "cosign.pub"))) await makeKeys(folder);
  });
  return folder;
}

const signing = new Map<Variant, Promise<ServiceImage>>();

function signed(variant: Variant, keys: string): Promise<ServiceImage> {
  const known = signing.get(variant) ?? signOnce(variant, keys);
  signing.set(variant, known);
  return known;
}

/** Signs an image unless the registry has its signature of an earlier run. */
async function signOnce(variant: Variant, keys: string): Promise<ServiceImage> {
  return await withLock("e2e-sign", async () => {
    const image = await serviceImage(variant);
    const note = join(keys, "signed", image.digest.replace(":", "-"));
    const tag = `${image.reference.split("@")[0] ?? ""}:${image.digest.replace(":", "-")}`;
    const isThere = existsSync(note) && (await inRegistry(tag));
    if (isThere) return image;
    await signedServiceImage(variant, { key: join(keys, "cosign.key"), password: PASSWORD });
    await mkdir(join(keys, "signed"), { recursive: true });
    await writeFile(note, "");
    return image;
  });
}

async function inRegistry(reference: string): Promise<boolean> {
  return await run("skopeo", [
    "inspect",
    "--raw",
    "--tls-verify=false",
    `docker://${reference}`,
  ]).then(
    () => true,
    () => false,
  );
}

/** Copies an image and its signature to another registry on loopback; gives its reference there. */
export async function copyTo(
  registry: string,
  { reference, digest }: ServiceImage,
  login?: Credentials,
): Promise<string> {
  const [from = ""] = reference.split("@");
  const to = `${registry}/team/iris`;
  const tag = digest.replace(":", "-");
  const crane = await ensureTool("crane");
  const folder = await scratch();
  try {
    const auth = Buffer.from(`${login?.user ?? ""}:${login?.password ?? ""}`).toString("base64");
    await write(folder.path, {
      "config.json": JSON.stringify({ auths: login ? { [registry]: { auth } } : {} }),
    });
    const env = { ...process.env, DOCKER_CONFIG: folder.path };
    await run(crane, ["copy", reference, `${to}:copied`], { env });
    await run(crane, ["copy", `${from}:${tag}`, `${to}:${tag}`], { env });
  } finally {
    await folder.forget();
  }
  return `${to}@${digest}`;
}

/** The tests' public key, for a project's folder. */
export async function publicKey(keys: string): Promise<string> {
  return await readFile(join(keys, "cosign.pub"), "utf8");
}

/** Registry that cluster and engine know under one name. */
export const REGISTRY = registryAddress();
