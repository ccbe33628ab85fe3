import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { CliError, EXIT, usageError } from "../failure.js";
import type { Given } from "../options.js";

const WORKFLOW = join(".github", "workflows", "slipway.yml");
const SECTION = "[tool.slipway]";

/** `slipway init`: a commented configuration and the workflow. What is there already stays as it is. */
export async function init(given: Given): Promise<void> {
  const folder = resolve((given.folder as string | undefined) ?? ".");
  const uses = given.uses as string | undefined;
  if (uses !== undefined && !/^[\w.-]+\/[\w.-]+(\/[\w./-]+\.ya?ml)?@[\w./-]+$/.test(uses)) {
    throw usageError(
      `--uses: expected OWNER/REPOSITORY@COMMIT or OWNER/REPOSITORY/.github/workflows/pipeline.yml@COMMIT, got ${JSON.stringify(uses)}.`,
    );
  }
  await requireProject(folder);
  const root = repositoryOf(folder) ?? folder;
  const notes = [await configuration(join(folder, "pyproject.toml"))];
  notes.push(
    uses === undefined
      ? `left out ${WORKFLOW}: say which Slipway repository and commit it is to use, --uses OWNER/slipway@COMMIT`
      : await workflow(root, relative(root, folder), uses),
  );
  process.stdout.write(`${notes.join("\n")}\n`);
}

/** Throws CliError (2) when there is nothing in the folder that Slipway could work on. */
async function requireProject(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => undefined);
  if (!names) throw usageError(`there is no folder ${folder}.`);
  if (names.includes("pyproject.toml")) return;
  const { mainRequirements } = await import("../../../src/core/project/kind.js");
  const below = await readdir(join(folder, "requirements")).catch(() => []);
  if (mainRequirements([...names, ...below.map((name) => `requirements/${name}`)]).length > 0)
    return;
  throw usageError(
    `${folder} is no Python project: it has neither pyproject.toml nor requirements.txt. --folder names one.`,
  );
}

/** The folder with `.git`: GitHub runs the workflows that lie there, and no others. */
function repositoryOf(folder: string): string | undefined {
  if (existsSync(join(folder, ".git"))) return folder;
  const above = dirname(folder);
  return above === folder ? undefined : repositoryOf(above);
}

async function configuration(file: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw unwritable(file, error);
    return "left out pyproject.toml: there is none here; without one, settings come from SLIPWAY_* variables and --set";
  }
  const { isTable, readToml } = await import("../../../src/core/toml.js");
  const { SlipwayError } = await import("../../../src/core/errors.js");
  let tool: unknown;
  try {
    tool = readToml(text, "pyproject.toml").value.tool;
  } catch (error) {
    if (error instanceof SlipwayError) throw new CliError(error.message, EXIT.usage);
    throw error;
  }
  if (isTable(tool) && "slipway" in tool) return `kept pyproject.toml: it has ${SECTION} already`;
  const { configurationComment } = await import("../configuration.js");
  const separator = text === "" ? "" : text.endsWith("\n") ? "\n" : "\n\n";
  try {
    // Appended, not rewritten: whatever happens, what was there stays.
    await writeFile(file, `${separator}${configurationComment()}`, { flag: "a" });
  } catch (error) {
    throw unwritable(file, error);
  }
  return `added ${SECTION} to pyproject.toml; every key is a comment that shows its default`;
}

async function workflow(root: string, folder: string, uses: string): Promise<string> {
  const file = join(root, WORKFLOW);
  const name = relative(process.cwd(), file);
  const input = folder === "" ? "" : `{ folder: ${JSON.stringify(folder)} }`;
  const [, repository = "", path = "/.github/workflows/pipeline.yml", version = ""] =
    /^([^/]+\/[^/@]+)(\/[^@]+)?@(.+)$/.exec(uses) ?? [];
  const text = `name: slipway
on: [push, pull_request]
permissions: {}
jobs:
  slipway:
    uses: ${repository}${path}@${version}
    permissions: { contents: read, security-events: write }
${input === "" ? "" : `    with: ${input}\n`}`;
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text, { flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST")
      return `kept ${name}: it is there already${input === "" ? "" : `; a job with ${input} checks this folder`}`;
    throw unwritable(file, error);
  }
  return `wrote ${name}`;
}

function unwritable(file: string, error: unknown): CliError {
  return new CliError(`${file} cannot be read or written: ${(error as Error).message}`, EXIT.usage);
}
