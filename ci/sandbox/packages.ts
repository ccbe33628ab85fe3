import { readdir } from "node:fs/promises";
import { join } from "node:path";

import { SandboxError } from "./failure.js";
import { run } from "./run.js";

/** A Debian package, and why the sandbox wants it. */
export interface DebianPackage {
  name: string;
  why: string;
}

/** What the sandbox uses of the distribution. */
export const SANDBOX_PACKAGES: readonly DebianPackage[] = [
  { name: "mmdebstrap", why: "makes the stand-in images" },
  { name: "debian-archive-keyring", why: "checks Debian's signatures" },
  { name: "runc", why: "runs containers for the embedded engine" },
  { name: "skopeo", why: "checks images from outside in the tests" },
];

let refreshed: Promise<unknown> | undefined;

/** Those of `wanted` that are not installed. */
export async function missingPackages(wanted: readonly DebianPackage[]): Promise<DebianPackage[]> {
  if (wanted.length === 0) return [];
  const format = "${Package} ${db:Status-Status}\\n";
  const names = wanted.map((each) => each.name);
  // dpkg-query fails when it does not know one of the names, which is an answer too.
  const known = await run("dpkg-query", ["-W", "-f", format, ...names, "dpkg"]).catch(
    async () => await run("dpkg-query", ["-W", "-f", format]),
  );
  const installed = new Set(
    known.split("\n").flatMap((line) => (line.endsWith(" installed") ? [line.split(" ")[0]] : [])),
  );
  return wanted.filter((each) => !installed.has(each.name));
}

/**
 * Installs what is missing of `wanted` with apt-get.
 *
 * @throws SandboxError naming each missing package, its purpose and the command to install them,
 *   when this process is not root.
 */
export async function ensurePackages(
  wanted: readonly DebianPackage[],
  report: (line: string) => void,
): Promise<void> {
  const missing = await missingPackages(wanted);
  if (missing.length === 0) return;
  const names = missing.map((each) => each.name);
  if (process.getuid?.() !== 0) {
    const list = missing.map((each) => `    ${each.name}: ${each.why}`).join("\n");
    throw new SandboxError(
      `Debian packages are missing:\n${list}`,
      `Install them: sudo apt-get update && sudo apt-get install ${names.join(" ")}`,
    );
  }
  report(`apt-get install ${names.join(" ")}`);
  await refreshPackageLists();
  await run("apt-get", ["install", "-y", "-q", "--no-install-recommends", ...names], {
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  });
}

/**
 * Unpacks a package into `folder` without installing it: nothing is configured and no service is
 * started. apt checks it against the archive's signed lists.
 */
export async function unpackPackage(name: string, folder: string): Promise<void> {
  const fetch = (): Promise<string> =>
    run("apt-get", ["download", "-q", name], {
      cwd: folder,
      hint: `The package ${name} cannot be had: check the apt sources, then run apt-get update.`,
    });
  await fetch().catch(async () => {
    await refreshPackageLists();
    await fetch();
  });
  const file = (await readdir(folder)).find((each) => each.endsWith(".deb"));
  if (!file) throw new SandboxError(`apt-get left no ${name} in ${folder}.`, "Is the disk full?");
  await run("dpkg-deb", ["--extract", join(folder, file), folder]);
}

/** Brings the package lists up to date, once in the life of this process. */
function refreshPackageLists(): Promise<unknown> {
  refreshed ??= run("apt-get", ["update", "-q"], {
    hint: "apt-get update failed: it needs root, and the apt sources have to be reachable.",
  });
  return refreshed;
}

/** Addresses that apt fetches Debian from: the archive and its security updates. */
export interface DebianMirror {
  archive: string;
  /** Absent where the machine has no security source. */
  security?: string;
}

/** The Debian mirror this machine uses, from apt's own configuration (both file formats). */
export async function debianMirror(): Promise<DebianMirror> {
  const list = async (): Promise<string[][]> => {
    const out = await run("apt-get", [
      "indextargets",
      "--format",
      "$(ORIGIN)|$(RELEASE)|$(COMPONENT)|$(REPO_URI)",
      "Identifier: Packages",
    ]);
    return out
      .split("\n")
      .map((line) => line.split("|"))
      .filter(([origin, , component]) => origin === "Debian" && component === "main");
  };
  let rows = await list();
  if (rows.length === 0) {
    // Before the first apt-get update, apt does not know where an archive comes from.
    await refreshPackageLists();
    rows = await list();
  }
  const uri = (wanted: (release: string) => boolean): string | undefined =>
    rows.find(([, release]) => release !== undefined && wanted(release))?.[3];
  const archive = uri((release) => !release.includes("-"));
  if (archive === undefined) {
    throw new SandboxError(
      "This machine's apt has no Debian archive among its sources.",
      "Stand-in images are made from Debian's packages: add a Debian mirror to /etc/apt/sources.list.d.",
    );
  }
  const security = uri((release) => release.endsWith("-security"));
  return security === undefined ? { archive } : { archive, security };
}
