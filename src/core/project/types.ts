import type { PoetryLock } from "./poetry-lock.js";

/** What holds the dependencies, in order of precedence: the most exact source wins. */
export type ProjectKind = "poetry" | "uv" | "requirements" | "pep621";

/** Where dependencies that only the checks need are declared. */
export interface DependencySource {
  /** `group`: PEP 735; `poetry-group`: `[tool.poetry.group.*]`; `extra`: optional dependencies; `file`: a requirements file. */
  readonly kind: "group" | "poetry-group" | "extra" | "file";
  /** Name of the group or extra, or path of the file. */
  readonly name: string;
}

/** A project as its files describe it. */
export interface Project {
  readonly kind: ProjectKind;
  /** Why this kind, and what else was seen, for a person. */
  readonly reasons: readonly string[];
  /** Normalised (PEP 503) name; `service` when nothing names the project. */
  readonly name: string;
  /** `UNKNOWN_VERSION` when nothing says that can be read without running code. */
  readonly version: string;
  readonly description?: string;
  readonly license?: string;
  readonly python: {
    /** `3.12`, or `3.12.4` when configured or in `.python-version`. */
    readonly version: string;
    /** Where it comes from. */
    readonly reason: string;
    /** The project's own constraint. */
    readonly requires?: string;
  };
  /** The lock file that is used; absent for `pep621` and unpinned requirements. */
  readonly lockFile?: string;
  /** What poetry.lock holds (`poetry` only): turn it into requirements with hashes. */
  readonly poetryLock?: PoetryLock;
  /** Requirements files that the running service needs, in order (`requirements` only). */
  readonly requirementFiles: readonly string[];
  /** What the checks need on top. */
  readonly testSources: readonly DependencySource[];
  /** Locked versions by normalised package name, of everything the lock file holds. */
  readonly locked: ReadonlyMap<string, string>;
  readonly layout: {
    readonly kind: "src" | "flat";
    /** Import packages and modules that were found. */
    readonly packages: readonly string[];
    /** Folders or files with the code. */
    readonly source: readonly string[];
    /** Folders with the tests; empty when there are none. */
    readonly tests: readonly string[];
  };
  /** Names in `[project.scripts]` / `[tool.poetry.scripts]`. */
  readonly scripts: readonly string[];
  /** Whether the project itself can be installed (it has a build backend). */
  readonly installable: boolean;
}

/** What is known of the source, without reading more than it takes. */
export interface ProjectFiles {
  /** Paths relative to the project: at least its top level and that of `src`; folders may end in `/`. */
  readonly paths: readonly string[];
  /** Contents of the files that `filesToRead` names, by path. */
  readonly contents: Readonly<Record<string, string>>;
}
