import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { cachePath, makeFolder, withLock } from "../../../ci/sandbox/cache.js";
import { run } from "../../../ci/sandbox/run.js";

/** A source distribution on the package index, with the tests in it. */
export interface Distribution {
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
}

/** The Python that a person on this machine has: `3.11`. */
export async function hostPython(): Promise<string> {
  const program = 'import sys; print("%d.%d" % sys.version_info[:2])';
  return (await run("python3", ["-c", program])).trim();
}

/** Unpacks a distribution into a folder of `into`, downloading it once; pip compares its hash. */
export async function unpack(wanted: Distribution, into: string): Promise<string> {
  const { name, version, sha256 } = wanted;
  const base = `${name.replaceAll("-", "_")}-${version}`;
  const kept = cachePath("sdists", sha256);
  await withLock(`sdist-${name}`, async () => {
    if (existsSync(kept)) return;
    await makeFolder(kept, async (folder) => {
      const requirements = join(folder, "requirements.txt");
      await writeFile(requirements, `${name}==${version} --hash=sha256:${sha256}\n`);
      await run("python3", [
        ...["-m", "pip", "download", "--quiet", "--no-deps", "--no-binary=:all:"],
        ...["--require-hashes", "--requirement", requirements, "--dest", folder],
      ]);
    });
  });
  await mkdir(into, { recursive: true });
  await run("tar", ["--extract", "--file", join(kept, `${base}.tar.gz`), "--directory", into]);
  return join(into, base);
}

/** What a program printed and how it ended. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
}

/** A virtual environment with the project and these packages; kept for the next time. */
export async function environment(
  project: string,
  packages: readonly string[],
  key: readonly string[],
): Promise<(tool: string, ...args: string[]) => Promise<Ran>> {
  const python = await hostPython();
  const digest = createHash("sha256")
    .update(JSON.stringify([python, key, packages]))
    .digest("hex");
  const folder = cachePath("by-hand", digest.slice(0, 16));
  await withLock(`by-hand-${digest.slice(0, 16)}`, async () => {
    if (existsSync(join(folder, "complete"))) return;
    await run("python3", ["-m", "venv", "--clear", folder]);
    await run(join(folder, "bin", "pip"), ["install", "--quiet", ...packages]);
    await writeFile(join(folder, "complete"), "");
  });
  return (tool, ...args) =>
    new Promise((resolve, reject) => {
      execFile(
        join(folder, "bin", tool),
        args,
        {
          cwd: project,
          maxBuffer: 1 << 28,
          env: { ...process.env, NO_COLOR: "1", PYTHONDONTWRITEBYTECODE: "1" },
        },
        (error, stdout) => {
          const code = error?.code;
          if (error instanceof Error && typeof code !== "number") reject(error);
          else resolve({ code: typeof code === "number" ? code : 0, stdout });
        },
      );
    });
}

/** What a JUnit report of pytest holds; its own totals count subtests as well, which are no cases. */
export async function junitTotals(file: string): Promise<Record<string, number>> {
  const text = await readFile(file, "utf8");
  const count = (tag: string): number => text.match(new RegExp(`<${tag}[ >]`, "g"))?.length ?? 0;
  return {
    tests: count("testcase"),
    failed: count("failure"),
    errors: count("error"),
    skipped: count("skipped"),
  };
}
