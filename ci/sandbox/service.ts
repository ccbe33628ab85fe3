import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createWriteStream } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";

import { withLock } from "./cache.js";
import { ensureImages } from "./images/ensure.js";
import { IMAGES } from "./images/table.js";
import { tarOf } from "./images/tar.js";
import { ensureRegistry } from "./registry.js";
import { run } from "./run.js";
import { ensureTool } from "./tools.js";

const PROGRAM = fileURLToPath(new URL("service/service.py", import.meta.url));

const BASE = "library/python:3.11-slim";

/** Repository of the images in the sandbox's registry. */
const SERVICE_REPOSITORY = "sandbox/iris";

/** Environment of each variant of the service; `RELEASE` is what it calls itself in `x-release`. */
export const VARIANTS = {
  /** Work well. */
  v1: { RELEASE: "v1", MODEL_VERSION: "1" },
  v2: { RELEASE: "v2", MODEL_VERSION: "2" },
  /** Ends at once with code 1 and a line that says why. */
  crash: { CRASH: "1" },
  /** Runs, but `/readyz` stays 503. */
  "never-ready": { NEVER_READY: "1" },
  /** That share of the predictions are errors 500, evenly spread. */
  "errors-50": { ERRORS: "0.5" },
  "errors-5": { ERRORS: "0.05" },
  "errors-1": { ERRORS: "0.01" },
  "errors-0.1": { ERRORS: "0.001" },
  /** A prediction takes 300 ms longer. */
  slow: { LATENCY_MS: "300" },
  /** Takes versicolor for virginica, and the other way round. */
  "predicts-differently": { PREDICTS: "differently" },
  /** Prints each request's line 500 times. */
  loud: { LOG_LINES: "500" },
  /** Works well for 10 s, then ends with code 7. */
  "exits-later": { EXIT_AFTER: "10" },
  /** Listens only after 8 s. */
  "slow-start": { START_DELAY: "8" },
} as const satisfies Record<string, Record<string, string>>;

/** A variant of the test service. */
export type Variant = keyof typeof VARIANTS;

/** All variants of the test service. */
export const SERVICE_VARIANTS = Object.keys(VARIANTS) as Variant[];

/** An image of the test service in a registry. */
export interface ServiceImage {
  /** By digest, `HOST:PORT/NAME@sha256:…`. */
  readonly reference: string;
  /** By tag: the variant's name. */
  readonly tagged: string;
  readonly digest: string;
}

/**
 * Makes an image of the test service and pushes it, unless it is there. It listens on port 8000 as
 * user 10001 and speaks the iris service's interface: `/healthz`, `/readyz`, `/predict`, `/metrics`,
 * besides `/version`; every answer has the header `x-release`.
 *
 * @param variant What is right or wrong with it.
 * @param options.env Further environment, for variants of a test's own. They get a tag of their own.
 */
export async function serviceImage(
  variant: Variant,
  options: { readonly env?: Readonly<Record<string, string>> } = {},
): Promise<ServiceImage> {
  const { address } = await ensureRegistry();
  const crane = await ensureTool("crane");
  const env = { RELEASE: variant, ...VARIANTS[variant], ...options.env };
  const own = options.env === undefined ? "" : `-${hashOf(JSON.stringify(options.env))}`;
  const recipe = hashOf(`${JSON.stringify(env)}\n${await readFile(PROGRAM, "utf8")}`);
  const name = `${address}/${SERVICE_REPOSITORY}`;
  const tagged = `${name}:${variant}${own}`;
  // The tag that other programs name is moved only when the recipe's own is not there yet.
  const made = `${name}:recipe-${recipe}`;
  await withLock(`image-service`, async () => {
    const known = await run(crane, ["ls", name]).catch(() => "");
    const tags = new Set(known.split("\n"));
    if (tags.has(`recipe-${recipe}`) && tags.has(`${variant}${own}`)) return;
    await ensureImages(
      IMAGES.filter(
        (image) => BASE.startsWith(`${image.name}:`) && image.tags.includes("3.11-slim"),
      ),
      { address, say: () => undefined },
    );
    await push(crane, `${address}/${BASE}`, made, env);
    await run(crane, ["tag", made, `${variant}${own}`]);
  });
  const digest = (await run(crane, ["digest", made])).trim();
  return { reference: `${name}@${digest}`, tagged, digest };
}

async function push(
  crane: string,
  base: string,
  target: string,
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "slipway-service-"));
  try {
    const layer = join(folder, "layer.tar");
    const content = await readFile(PROGRAM);
    await pipeline(tarOf({ srv: {}, "srv/service.py": { content } }), createWriteStream(layer));
    await run(crane, ["append", "--base", base, "--new_layer", layer, "--new_tag", target]);
    await run(crane, [
      ...["mutate", target, "--tag", target, "--user", "10001", "--exposed-ports", "8000/tcp"],
      ...["--entrypoint", "python3,-u,/srv/service.py", "--workdir", "/srv"],
      ...Object.entries(env).flatMap(([key, value]) => ["--env", `${key}=${value}`]),
    ]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * The same, signed with cosign: offline, by key, into the same registry.
 *
 * @param signer.key Path of the private key.
 * @param signer.password Its password.
 */
export async function signedServiceImage(
  variant: Variant,
  signer: { readonly key: string; readonly password: string },
  options: Parameters<typeof serviceImage>[1] = {},
): Promise<ServiceImage> {
  const image = await serviceImage(variant, options);
  const cosign = await ensureTool("cosign");
  const folder = await mkdtemp(join(tmpdir(), "slipway-sign-"));
  try {
    const env = { ...process.env, COSIGN_PASSWORD: signer.password };
    const [services, roots] = [join(folder, "services.json"), join(folder, "roots.json")];
    await run(cosign, ["signing-config", "create", "--out", services], { env });
    await run(cosign, ["trusted-root", "create", "--out", roots], { env });
    await run(
      cosign,
      [
        ...["sign", "--key", signer.key, "--yes", "--allow-http-registry"],
        ...["--signing-config", services, "--trusted-root", roots, image.reference],
      ],
      { env },
    );
    return image;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}
