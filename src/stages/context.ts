import type { Directory, Secret, Service } from "@dagger.io/dagger";

import { resolveConfig } from "../core/config/resolve.js";
import type { Config } from "../core/config/schema.js";
import { detectProject, filesToRead } from "../core/project/detect.js";
import type { Project } from "../core/project/types.js";
import { versionFiles } from "../core/project/version.js";
import { SlipwayError } from "../core/errors.js";
import { isTable, readTomlValues, type TomlTable } from "../core/toml.js";

/** What the caller gives, as the module's constructor takes it. */
interface Inputs {
  /** The service's folder. */
  readonly source: Directory;
  /** Its path in the repository; "." at the repository's top. */
  readonly folder: string;
  /** `key=value`, the strongest layer of the configuration. */
  readonly set: readonly string[];
  /** `NAME=value`, the caller's environment: a module sees none of its own. */
  readonly environment: readonly string[];
  readonly safetyKey?: Secret | undefined;
  /** OSV records, one JSON file each, in place of a service. */
  readonly advisories?: Directory | undefined;
  /** trivy's vulnerability database, in place of one that is downloaded. */
  readonly database?: Directory | undefined;
  /** The registry on the caller's own machine that references name as 127.0.0.1 or localhost. */
  readonly registry?: Service | undefined;
}

/** Files in which tools are configured, besides `pyproject.toml`. */
const SETTINGS = [".coveragerc", ".mypy.ini", "mypy.ini", "pytest.ini", "setup.cfg", "tox.ini"];

/** What every stage works on: the source, and what is known and wanted of it. */
export interface Context extends Inputs {
  readonly config: Config;
  readonly project: Project;
  /** Tables of `pyproject.toml`; empty when there is none. */
  readonly pyproject: TomlTable;
  /** What the files say that were read to know the project, by path. */
  readonly texts: Readonly<Record<string, string>>;
  /** Set when a tool that did not work is run again: what it left before is not believed. */
  readonly attempt?: string;
  /** What the reader should know although nothing is wrong. */
  readonly notices: readonly string[];
}

/**
 * Reads what the configuration and the project's nature depend on, and nothing else.
 *
 * @throws SlipwayError with all mistakes of the configuration, or saying why this is no project.
 */
export async function loadContext(inputs: Inputs): Promise<Context> {
  const { source } = inputs;
  const found = await filesOf(inputs);
  const paths = [...new Set(found.flat())].sort();
  const wanted = new Set(["pyproject.toml", ...SETTINGS, ...filesToRead(paths)]);
  const read = async (names: readonly string[]): Promise<Record<string, string>> => {
    const there = names.filter((name) => paths.includes(name));
    const entries = there.map(async (path) => [path, await source.file(path).contents()] as const);
    return Object.fromEntries(await Promise.all(entries));
  };
  const known = await read([...wanted]);
  const resolved = resolveConfig({
    pyproject: known["pyproject.toml"],
    env: readEnvironment(inputs.environment),
    set: inputs.set,
  });
  const pyproject = readTomlValues(known["pyproject.toml"] ?? "", "pyproject.toml");
  const texts = { ...known, ...(await read(versionFiles(pyproject))) };
  return {
    ...inputs,
    config: resolved.config,
    project: detectProject({ paths, contents: texts }, resolved.config),
    pyproject,
    texts,
    notices: resolved.notices,
  };
}

/** What is in the folder, as deep as it is looked at. */
async function filesOf({ source, folder }: Inputs): Promise<string[][]> {
  try {
    return await Promise.all(["*", "*/*", "src/*/*"].map((pattern) => source.glob(pattern)));
  } catch (error) {
    const isMissing =
      folder !== "." && error instanceof Error && /no such file|not found/i.test(error.message);
    if (!isMissing) throw error;
    throw new SlipwayError("USAGE", `There is no folder "${folder}" in the source.`);
  }
}

/** `NAME=value` pairs; the value may be empty and may hold further `=`. */
export function readEnvironment(pairs: readonly string[]): Record<string, string> {
  const values: Record<string, string> = {};
  for (const pair of pairs) {
    const at = pair.indexOf("=");
    if (at < 1)
      throw new SlipwayError(
        "USAGE",
        `--environment takes NAME=value; "${pair}" is not of that form.`,
      );
    values[pair.slice(0, at)] = pair.slice(at + 1);
  }
  return values;
}

/** The table `[tool.NAME]` of `pyproject.toml`, if it is there. */
export function toolTable(
  { pyproject }: Pick<Context, "pyproject">,
  name: string,
): TomlTable | undefined {
  const { tool } = pyproject;
  const found = isTable(tool) ? tool[name] : undefined;
  return isTable(found) ? found : undefined;
}

/**
 * Whether one of the tools' own configuration files, of the `.ini` kind, sets one of these keys.
 *
 * @param sections The tool's section, by file; the same key in another tool's section is not meant.
 */
export function hasSetting(
  { texts }: Pick<Context, "texts">,
  sections: Readonly<Record<string, string>>,
  keys: readonly string[],
): boolean {
  return Object.entries(sections).some(([file, section]) => {
    let current = "";
    return (texts[file] ?? "").split(/\r?\n/).some((line) => {
      current = /^\[(.+)\]/.exec(line)?.[1] ?? current;
      return current === section && keys.includes(/^(\w+)\s*[=:]/.exec(line)?.[1] ?? "");
    });
  });
}
