import { SlipwayError } from "../errors.js";
import { table, text, type TomlTable } from "../toml.js";
import type { ProjectKind } from "./types.js";

const MAIN_REQUIREMENTS =
  /^(requirements|requirements\/(base|main|prod|production|requirements))\.txt$/;
const TEST_REQUIREMENTS =
  /^((requirements[-_.](dev|test|tests|testing|develop))|((dev|test|tests|testing)[-_]requirements)|requirements\/(dev|test|tests|testing))\.txt$/;

export interface KindFound {
  readonly kind: ProjectKind;
  readonly reasons: readonly string[];
  readonly lockFile?: string;
}

/** Requirements files of the running service; `requirements.txt` alone when it is there. */
export function mainRequirements(paths: readonly string[]): string[] {
  const found = paths.filter((path) => MAIN_REQUIREMENTS.test(path));
  return found.includes("requirements.txt") ? ["requirements.txt"] : found;
}

/** Requirements files that only the checks need. */
export function testRequirements(paths: readonly string[]): string[] {
  return paths.filter((path) => TEST_REQUIREMENTS.test(path));
}

/**
 * What holds the dependencies. The most exact source wins: poetry.lock, uv.lock, requirements
 * files, then `[project]` alone.
 *
 * @throws SlipwayError PROJECT when there is nothing, LOCK when the lock file is missing.
 */
export function findKind(paths: readonly string[], pyproject: TomlTable | undefined): KindFound {
  const has = (path: string): boolean => paths.includes(path);
  const requirements = mainRequirements(paths);
  const poetry = table(pyproject, "tool", "poetry");
  const [poetryLock, uvLock] = [has("poetry.lock"), has("uv.lock")];

  if (pyproject && poetryLock && (!uvLock || isPoetry(pyproject)))
    return found(
      "poetry",
      "poetry.lock",
      uvLock
        ? ["poetry.lock is there, and pyproject.toml is Poetry's; uv.lock is not used"]
        : ["poetry.lock is there"],
    );
  if (pyproject && uvLock)
    return found(
      "uv",
      "uv.lock",
      poetryLock
        ? ["uv.lock is there, and pyproject.toml is not Poetry's; poetry.lock is not used"]
        : ["uv.lock is there"],
    );
  if (!pyproject && (poetryLock || uvLock))
    throw new SlipwayError(
      "PROJECT",
      `${poetryLock ? "poetry.lock" : "uv.lock"} is there, but no pyproject.toml beside it. Is this the project's folder?`,
    );
  if (poetry && requirements.length === 0)
    throw new SlipwayError(
      "LOCK",
      "pyproject.toml has [tool.poetry], but there is no poetry.lock. Run `poetry lock` and commit the result.",
    );
  if (requirements.length > 0)
    return {
      kind: "requirements",
      reasons: [`no poetry.lock and no uv.lock; ${requirements.join(", ")} is there`],
    };
  if (table(pyproject, "project"))
    return {
      kind: "pep621",
      reasons: [
        "pyproject.toml has [project], and there is no lock file: versions are resolved anew at each installation",
        ...(table(pyproject, "tool", "uv")
          ? ["[tool.uv] is there without uv.lock: run `uv lock` to pin versions"]
          : []),
      ],
    };
  throw new SlipwayError(
    "PROJECT",
    pyproject
      ? "pyproject.toml names no project: it has neither [project] nor [tool.poetry], and there is no requirements.txt. Add a [project] table with name and dependencies."
      : `This is no Python project that Slipway can run: there is no pyproject.toml and no requirements.txt${hint(paths)}. Add one, or point --source at the service's folder.`,
  );
}

/** Whether Poetry made this pyproject.toml. */
function isPoetry(pyproject: TomlTable): boolean {
  const backend = text(table(pyproject, "build-system")?.["build-backend"]) ?? "";
  return table(pyproject, "tool", "poetry") !== undefined || backend.startsWith("poetry.");
}

function hint(paths: readonly string[]): string {
  if (paths.length === 0) return " (the folder is empty)";
  const below = paths.find((path) => /^[^/]+\/pyproject\.toml$/.test(path));
  if (below !== undefined) return ` (but there is ${below}: is it a monorepo?)`;
  return paths.includes("setup.py") ? " (setup.py alone is not enough)" : "";
}

function found(kind: ProjectKind, lockFile: string, reasons: string[]): KindFound {
  return { kind, reasons, lockFile };
}
