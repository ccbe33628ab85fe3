/**
 * `make images`: starts the loopback registry and fills it with stand-in images.
 *
 *     tsx ci/sandbox/images.ts [--force] [--quiet] [--stop] [--base]
 *
 * With --base, without the programs that take minutes to build (cosign, k6, kubectl, trivy).
 */
import { parseArgs } from "node:util";

import { SandboxError } from "./failure.js";
import { findImage } from "./images/build.js";
import { asText, ensureImages } from "./images/ensure.js";
import { IMAGES, title } from "./images/table.js";
import { ensurePackages, SANDBOX_PACKAGES } from "./packages.js";
import { ensureRegistry, MIRRORED, stopRegistry } from "./registry.js";

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
  await ensureImages(images, { address, force: values.force, say });
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

main().catch((error: unknown) => {
  process.stderr.write(`${asText(error)}\n`);
  process.exitCode = 1;
});
