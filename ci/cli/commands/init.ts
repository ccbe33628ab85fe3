import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
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
  const notes = [await configuration(join(folder, "pyproject.toml"))];
  notes.push(
    uses === undefined
      ? `left out ${WORKFLOW}: say which Slipway repository and commit it is to use, --uses OWNER/slipway@COMMIT`
      : await workflow(join(folder, WORKFLOW), uses),
  );
  process.stdout.write(`${notes.join("\n")}\n`);
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

async function workflow(file: string, uses: string): Promise<string> {
  const [, repository = "", path = "/.github/workflows/pipeline.yml", version = ""] =
    /^([^/]+\/[^/@]+)(\/[^@]+)?@(.+)$/.exec(uses) ?? [];
  const text = `name: slipway
on: [push, pull_request]
permissions: {}
jobs:
  slipway:
    uses: ${repository}${path}@${version}
    permissions: { contents: read, security-events: write }
`;
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text, { flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST")
      return `kept ${WORKFLOW}: it is there already`;
    throw unwritable(file, error);
  }
  return `wrote ${WORKFLOW}`;
}

function unwritable(file: string, error: unknown): CliError {
  return new CliError(`${file} cannot be read or written: ${(error as Error).message}`, EXIT.usage);
}
