import type { Config } from "../config/schema.js";
import { readTomlValues, table, text, type TomlTable } from "../toml.js";
import { testSources } from "./dependencies.js";
import { findKind, mainRequirements, testRequirements } from "./kind.js";
import { findLayout } from "./layout.js";
import { normalizeName } from "./names.js";
import { pinnedRequirements, uvLockVersions } from "./pins.js";
import { readPoetryLock } from "./poetry-lock.js";
import { choosePython } from "./python.js";
import type { Project, ProjectFiles } from "./types.js";
import { findVersion } from "./version.js";

const PYPROJECT = "pyproject.toml";

/** The files whose contents `detectProject` needs, out of those that are there. */
export function filesToRead(paths: readonly string[]): string[] {
  const wanted = new Set([
    PYPROJECT,
    "poetry.lock",
    "uv.lock",
    ".python-version",
    ...mainRequirements(paths),
    ...testRequirements(paths),
  ]);
  return paths.filter((path) => wanted.has(path));
}

/**
 * What kind of project this is, from its files' names and contents.
 *
 * @throws SlipwayError PROJECT or LOCK, saying what is missing or contradictory and what to do.
 */
export function detectProject(files: ProjectFiles, config: Config): Project {
  const { paths, contents } = files;
  const pyprojectText = contents[PYPROJECT];
  const pyproject =
    pyprojectText === undefined ? undefined : readTomlValues(pyprojectText, PYPROJECT);
  const { kind, reasons, lockFile } = findKind(paths, pyproject);
  const about = { ...describe(pyproject), version: findVersion(pyproject, contents) };
  const lock = lockFile === undefined ? undefined : (contents[lockFile] ?? "");
  const poetryLock = kind === "poetry" ? readPoetryLock(lock ?? "", pyproject ?? {}) : undefined;
  const requirementFiles = kind === "requirements" ? mainRequirements(paths) : [];
  return {
    kind,
    reasons,
    ...about,
    python: choosePython({
      configured: config.python.version,
      pinFile: contents[".python-version"],
      requires: requiredPython(pyproject),
      classifiers: classifiers(pyproject),
    }),
    ...(lockFile === undefined ? {} : { lockFile }),
    ...(poetryLock ? { poetryLock } : {}),
    requirementFiles,
    testSources: testSources(kind, paths, pyproject, config.python.groups),
    locked:
      poetryLock?.versions ??
      (kind === "uv"
        ? uvLockVersions(lock ?? "")
        : pinnedRequirements(
            [...requirementFiles, ...testRequirements(paths)].map((path) => contents[path] ?? ""),
          )),
    layout: findLayout(paths, about.name, pyproject, config.project),
    scripts: Object.keys(
      table(pyproject, "project", "scripts") ?? table(pyproject, "tool", "poetry", "scripts") ?? {},
    ),
    installable: isInstallable(pyproject),
  };
}

function describe(
  pyproject: TomlTable | undefined,
): Pick<Project, "name" | "description" | "license"> {
  const project = table(pyproject, "project");
  const poetry = table(pyproject, "tool", "poetry");
  const first = (key: string): string | undefined => text(project?.[key]) ?? text(poetry?.[key]);
  const description = first("description");
  const license = first("license") ?? text(table(project, "license")?.text);
  return {
    name: normalizeName(first("name") ?? "service"),
    ...(description === undefined ? {} : { description }),
    // A licence's whole text is no label.
    ...(license === undefined || license.length > 100 ? {} : { license }),
  };
}

function requiredPython(pyproject: TomlTable | undefined): string | undefined {
  return (
    text(table(pyproject, "project")?.["requires-python"]) ??
    text(table(pyproject, "tool", "poetry", "dependencies")?.python)
  );
}

function classifiers(pyproject: TomlTable | undefined): string[] {
  const listed =
    table(pyproject, "project")?.classifiers ?? table(pyproject, "tool", "poetry")?.classifiers;
  return Array.isArray(listed) ? listed.filter((one) => typeof one === "string") : [];
}

function isInstallable(pyproject: TomlTable | undefined): boolean {
  const tool = table(pyproject, "tool");
  return (
    table(pyproject, "build-system") !== undefined &&
    table(tool, "poetry")?.["package-mode"] !== false &&
    table(tool, "uv")?.package !== false
  );
}
