/**
 * `make images`: starts the loopback registry and fills it with stand-in images.
 *
 *     tsx ci/sandbox/images.ts [--force] [--quiet] [--stop] [--base]
 *
 * With --base, without the programs that take minutes to build (cosign, k6, kubectl, trivy).
 */
import { parseArgs } from "node:util";

import { withLock } from "./cache.js";
import { SandboxError } from "./failure.js";
import { findImage, makeImage } from "./images/build.js";
import { IMAGES, title, type ImageSpec } from "./images/table.js";
import { ensurePackages, SANDBOX_PACKAGES } from "./packages.js";
import { ensureRegistry, MIRRORED, stopRegistry } from "./registry.js";
import { seconds } from "./toolchain.js";
import { ensureTool } from "./tools.js";

/** Images made at the same time; most of the time of each is one core's. */
const PARALLEL = 2;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      force: { type: "boolean", default: false },
      quiet: { type: "boolean", default: false },
      stop: { type: "boolean", default: false },
      base: { type: "boolean", default: false },
    },
  });
  const say = (line: string): void => {
    if (!values.quiet) process.stdout.write(`${line}\n`);
  };
  if (values.stop) {
    say((await stopRegistry()) ? "The registry is stopped." : "The registry did not run.");
    return;
  }
  await ensurePackages(SANDBOX_PACKAGES, say);
  const { address } = await ensureRegistry(say);
  const images = values.base ? IMAGES.filter(({ from }) => from !== "program") : IMAGES;
  const wanted = values.force ? images : await missingImages(images, address);
  if (wanted.length > 0) {
    await ensureTool("crane", say);
    await makeAll(wanted, { address, force: values.force, say });
  }
  for (const image of images) {
    const found = await findImage(image, address);
    if (!found) {
      throw new SandboxError(
        `${title(image)} was pushed to ${address} and is not there.`,
        "Look at the registry's log in the cache folder, and whether the disk is full.",
      );
    }
    const size = `${(found.size / 1e6).toFixed(1)} MB`;
    say(`${title(image).padEnd(28)} ${size.padStart(8)}  ${found.digest}`);
  }
  say(
    `${MIRRORED.join(", ")} are mirrored by ${address} (stand-ins made from packages, not the official images).`,
  );
}

async function missingImages(images: ImageSpec[], address: string): Promise<ImageSpec[]> {
  const found = await Promise.all(images.map((image) => findImage(image, address)));
  return images.filter((_, index) => found[index] === undefined);
}

interface Making {
  address: string;
  force: boolean;
  say: (line: string) => void;
}

async function makeAll(images: ImageSpec[], { address, force, say }: Making): Promise<void> {
  const queue = [...images];
  const failures: unknown[] = [];
  const work = async (): Promise<void> => {
    for (let image = queue.shift(); image; image = queue.shift()) {
      const began = Date.now();
      say(`${title(image)} …`);
      try {
        const made = image;
        await withLock(
          `image-${made.name.replaceAll("/", "-")}-${made.tags[0]}`,
          async () => {
            // Somebody else may have made it while this one waited for the lock.
            if (!force && (await findImage(made, address))) return;
            if (made.from === "program") await ensureTool(made.tool, say);
            await makeImage(made, address);
          },
          () => {
            say(`${title(made)}: another command is making it; waiting …`);
          },
        );
        say(`${title(image)} … ${seconds(began)}`);
      } catch (error) {
        say(`${title(image)} … failed after ${seconds(began)}`);
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
  // One that fails does not take the others with it; a second run makes only what is missing.
  if (failures.length > 0)
    throw new SandboxError(failures.map(asText).join("\n"), "Then run it again.");
}

function asText(error: unknown): string {
  return error instanceof SandboxError ? error.message : String(error);
}

main().catch((error: unknown) => {
  process.stderr.write(`${asText(error)}\n`);
  process.exitCode = 1;
});
