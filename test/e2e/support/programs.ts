import { fileURLToPath } from "node:url";

import { run } from "../../../ci/sandbox/run.js";

const IMAGES = fileURLToPath(new URL("../../../ci/sandbox/images.ts", import.meta.url));

/**
 * Waits until the images of cosign and trivy are there; makes them if nobody does. On a machine that
 * never built them, that goes on beside the tests that do without them.
 */
export async function programImages(): Promise<void> {
  await run(process.execPath, ["--import", "tsx", IMAGES, "--quiet"]);
}
