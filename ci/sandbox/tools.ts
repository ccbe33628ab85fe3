import { existsSync } from "node:fs";
import { chmod, cp, mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";

import { cachePath, makeFolder, withLock } from "./cache.js";
import { SandboxError } from "./failure.js";
import { unpackPackage } from "./packages.js";
import { run } from "./run.js";

/** A program built from a Go module; go checks its sources against the checksum database. */
interface GoTool {
  from: "go";
  /** The package to build, e.g. `example.org/tool/cmd/tool`. */
  path: string;
  version: string;
  /** A folder with a go.mod of our own, for modules that `go install` refuses. */
  module?: string;
  /** Further linker flags, after `-s -w`. */
  ldflags?: string;
  env?: Record<string, string>;
}

/** A program taken out of a Debian package that is not installed, so that no service starts. */
interface DebianTool {
  from: "debian";
  package: string;
  /** Path of the program inside the package. */
  path: string;
  version: "distribution";
}

export type Tool = GoTool | DebianTool;

/** Every program the sandbox brings along, by the name it is called by. */
export const TOOLS = {
  actionlint: {
    from: "go",
    path: "github.com/rhysd/actionlint/cmd/actionlint",
    version: "v1.7.12",
  },
  crane: {
    from: "go",
    path: "github.com/google/go-containerregistry/cmd/crane",
    version: "v0.21.9",
  },
  "docker-registry": {
    from: "debian",
    package: "docker-registry",
    path: "usr/bin/docker-registry",
    version: "distribution",
  },
} as const satisfies Record<string, Tool>;

export type ToolName = keyof typeof TOOLS;

/** Where a tool's program is, or will be. Its version is in the path: a new one never overwrites. */
function toolPath(name: ToolName): string {
  return join(folderOf(name, TOOLS[name]), name);
}

/**
 * Gives the path of a tool's program; builds or unpacks it first where it is missing.
 *
 * @param report Gets one line when there is something to do, one when it is done.
 */
export async function ensureTool(
  name: ToolName,
  report: (line: string) => void = () => undefined,
): Promise<string> {
  const program = toolPath(name);
  if (existsSync(program)) return program;
  const tool: Tool = TOOLS[name];
  await withLock(`tool-${name}`, async () => {
    if (existsSync(program)) return;
    const began = Date.now();
    report(`${name} ${tool.version}: building …`);
    await makeFolder(folderOf(name, tool), async (folder) => {
      await (tool.from === "go" ? buildGo(name, tool, folder) : takeDebian(name, tool, folder));
      await chmod(join(folder, name), 0o755);
    });
    report(`${name} ${tool.version}: ready after ${seconds(began)}`);
  });
  return program;
}

function folderOf(name: string, tool: Tool): string {
  return cachePath("tools", `${name}@${tool.version}`);
}

async function buildGo(name: string, tool: GoTool, folder: string): Promise<void> {
  const bin = join(folder, "build");
  await mkdir(bin);
  const flags = ["-trimpath", "-ldflags", ["-s -w", tool.ldflags ?? ""].join(" ").trim()];
  const env = {
    ...process.env,
    CGO_ENABLED: "0",
    GOBIN: bin,
    GOFLAGS: "-buildvcs=false",
    ...tool.env,
  };
  const hint = `Go 1.24 or later has to be on the PATH and reach its module proxy (go env GOPROXY).`;
  if (tool.module === undefined) {
    await run("go", ["install", ...flags, `${tool.path}@${tool.version}`], { env, hint });
  } else {
    await run("go", ["build", ...flags, "-o", `${bin}/`, tool.path], {
      cwd: tool.module,
      env: { ...env, GOFLAGS: "-buildvcs=false -mod=readonly" },
      hint,
    });
  }
  const [built] = await readdir(bin);
  if (built === undefined) {
    throw new SandboxError(`go built nothing from ${tool.path}.`, "It has to be a main package.");
  }
  await rename(join(bin, built), join(folder, name));
  await rm(bin, { recursive: true });
}

async function takeDebian(name: string, tool: DebianTool, folder: string): Promise<void> {
  const unpacked = join(folder, "unpacked");
  await mkdir(unpacked);
  await unpackPackage(tool.package, unpacked);
  await cp(join(unpacked, tool.path), join(folder, name));
  await rm(unpacked, { recursive: true });
}

/** Time since `began` (milliseconds of the epoch), for a progress line. */
export function seconds(began: number): string {
  return `${((Date.now() - began) / 1000).toFixed(1)} s`;
}
