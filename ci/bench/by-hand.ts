import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import { readPoetryLock } from "../../src/core/project/poetry-lock.js";
import { readToml } from "../../src/core/toml.js";
import { cachePath, withLock } from "../sandbox/cache.js";
import { run } from "../sandbox/run.js";
import { ask, field, inSession } from "./embedded.js";

const UV_IMAGE = "docker.io/astral/uv:0.13.9";
const PIP_AUDIT = "pip-audit==2.10.1";

/** What a developer has: the service's packages and tools in a virtual environment, byte code compiled. */
export interface ByHand {
  /** The Python of both sides, such as `3.11`. */
  readonly python: string;
  /** Runs all tools of the checks one after the other in a copy of the service; `pytest` are further arguments of it. */
  checks(project: string, advisories: string, pytest: readonly string[]): Promise<void>;
}

/** The machine's own Python: the stand-in images have the same one of the same Debian release. */
export async function machinePython(): Promise<string> {
  const program = 'import sys; print("%d.%d" % sys.version_info[:2])';
  return (await run("/usr/bin/python3", ["-c", program])).trim();
}

/** Makes the environment, once for each lock file. */
export async function byHand(iris: string): Promise<ByHand> {
  const python = await machinePython();
  const [lock, pyproject] = await Promise.all(
    ["poetry.lock", "pyproject.toml"].map((name) => readFile(join(iris, name), "utf8")),
  );
  const { value } = readToml(pyproject ?? "", "pyproject.toml");
  const selection = { groups: ["main", "dev", "test"], extras: [] };
  const requirements = readPoetryLock(lock ?? "", value).requirements(selection).text;
  const digest = createHash("sha256").update(python).update(requirements).digest("hex");
  const folder = cachePath("bench", digest.slice(0, 16));
  const file = join(folder, "requirements.txt");
  const bin = join(folder, "venv", "bin");
  await withLock("bench-by-hand", async () => {
    if (existsSync(join(folder, "complete"))) return;
    await mkdir(folder, { recursive: true });
    await writeFile(file, requirements);
    const uv = join(folder, "uv");
    await inSession((session) =>
      ask(
        session,
        "container",
        field("from", { address: UV_IMAGE }),
        field("file", { path: "/uv" }),
        field("export", { path: uv }),
      ),
    );
    await chmod(uv, 0o755);
    for (const name of ["venv", "audit"])
      await run(uv, ["venv", "--clear", "--python=/usr/bin/python3", join(folder, name)]);
    const into = (name: string): string => `--python=${join(folder, name, "bin", "python")}`;
    await run(uv, ["pip", "sync", "--quiet", "--compile-bytecode", into("venv"), file]);
    await run(uv, ["pip", "install", "--quiet", "--compile-bytecode", into("audit"), PIP_AUDIT]);
    await writeFile(join(folder, "complete"), "");
  });
  return {
    python,
    checks: async (project, advisories, pytest) => {
      const tool = async (name: string, ...args: string[]): Promise<void> => {
        await promisify(execFile)(name, args, { cwd: project, maxBuffer: 1 << 28 });
      };
      await tool(join(bin, "ruff"), "check", "--no-cache", ".");
      await tool(join(bin, "ruff"), "format", "--check", "--no-cache", ".");
      await tool(join(bin, "mypy"));
      await tool(join(bin, "pytest"), ...pytest, "--junitxml=junit.xml", ...COVERAGE);
      await tool(join(bin, "bandit"), "-q", "-r", "-c", "pyproject.toml", "src");
      await tool(
        join(folder, "audit", "bin", "pip-audit"),
        ...["--strict", "--requirement", file, "--no-deps", "--disable-pip"],
        ...["--progress-spinner=off", "--vulnerability-service=osv"],
        `--osv-url=${advisories}/v1/query`,
      );
    },
  };
}

const COVERAGE = ["--cov", "--cov-report=json", "--cov-report=xml"];
