import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { chmod, cp, mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { cachePath, makeFolder, withLock } from "./cache.js";
import { SandboxError } from "./failure.js";
import { unpackPackage } from "./packages.js";
import { run, type RunOptions } from "./run.js";

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

/** A program of the sandbox's own, in a package of a module under `tools/`. */
interface OwnTool {
  from: "source";
  module: string;
  /** The package to build, relative to the module. */
  path: string;
  version: "own";
}

export type Tool = GoTool | DebianTool | OwnTool;

/** Every program the sandbox brings along, by the name it is called by. */
export const TOOLS = {
  actionlint: {
    from: "go",
    path: "github.com/rhysd/actionlint/cmd/actionlint",
    version: "v1.7.12",
  },
  cosign: {
    from: "go",
    path: "github.com/sigstore/cosign/v3/cmd/cosign",
    version: "v3.1.3",
    ldflags: "-X sigs.k8s.io/release-utils/version.gitVersion=v3.1.3",
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
  database: {
    from: "source",
    module: moduleFolder("trivy"),
    path: "./database",
    version: "own",
  },
  fulcio: {
    from: "go",
    path: "github.com/sigstore/fulcio",
    version: "v1.8.8",
  },
  registry: {
    from: "source",
    module: moduleFolder("registry"),
    path: ".",
    version: "own",
  },
  "timestamp-server": {
    from: "go",
    path: "github.com/sigstore/timestamp-authority/v2/cmd/timestamp-server",
    version: "v2.1.2",
  },
  trivy: {
    from: "go",
    path: "github.com/aquasecurity/trivy/cmd/trivy",
    version: "v0.73.0",
    module: moduleFolder("trivy"),
    ldflags: "-X github.com/aquasecurity/trivy/pkg/version/app.ver=v0.73.0",
    env: { GOEXPERIMENT: "jsonv2" },
  },
} as const satisfies Record<string, Tool>;

export type ToolName = keyof typeof TOOLS;

/** A folder of `tools/` with a go.mod and a go.sum. */
function moduleFolder(name: string): string {
  return fileURLToPath(new URL(`tools/${name}`, import.meta.url));
}

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
      await (tool.from === "debian" ? takeDebian(name, tool, folder) : buildGo(name, tool, folder));
      await chmod(join(folder, name), 0o755);
    });
    report(`${name} ${tool.version}: ready after ${seconds(began)}`);
  });
  return program;
}

function folderOf(name: string, tool: Tool): string {
  if (tool.from !== "source") return cachePath("tools", `${name}@${tool.version}`);
  const hash = createHash("sha256");
  for (const file of ["go.sum", join(tool.path, "main.go")])
    hash.update(readFileSync(join(tool.module, file)));
  return cachePath("tools", `${name}@${hash.digest("hex").slice(0, 12)}`);
}

async function buildGo(name: string, tool: GoTool | OwnTool, folder: string): Promise<void> {
  const bin = join(folder, "build");
  await mkdir(bin);
  const { ldflags = "", env: own = {} } = tool.from === "go" ? tool : {};
  const flags = ["-trimpath", "-ldflags", `-s -w ${ldflags}`.trim()];
  const env = {
    ...process.env,
    CGO_ENABLED: "0",
    GOBIN: bin,
    GOFLAGS: "-buildvcs=false",
    ...own,
  };
  const hint = `Go 1.24 or later has to be on the PATH and reach its module proxy (go env GOPROXY).`;
  const { module } = tool;
  if (module === undefined) {
    await go(["install", ...flags, `${tool.path}@${tool.version}`], { env, hint });
  } else {
    await go(["build", ...flags, "-o", `${bin}/`, tool.path], {
      cwd: module,
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

/** Some builds take minutes: they leave the processor to whatever else wants it. */
async function go(args: string[], options: RunOptions): Promise<void> {
  await run("nice", ["-n", "15", "go", ...args], options);
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
