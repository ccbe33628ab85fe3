import { posix } from "node:path";

import type { Container, Directory } from "@dagger.io/dagger";

import { heldToDeclared, includedFiles } from "../core/project/declared-hashes.js";
import { normalizeName } from "../core/project/names.js";
import { pinnedRequirements } from "../core/project/pins.js";
import { fromConfigured, type Requirements } from "../core/project/requirements.js";
import { pythonBase, withUv, withVersion, withVirtualEnvironment } from "./base.js";
import type { Context } from "./context.js";
import { REQUIREMENTS, REQUIREMENTS_FILE, withInstalled } from "./requirements.js";
import { toolRequirement, toolVersion, type Tool } from "./tools.js";

/** Where the source is in every container. */
export const SOURCE = "/src";

const ENVIRONMENT = "/venv";

/** Tools that import the project or its dependencies, and so live in the project's environment. */
const INSIDE: readonly Tool[] = ["mypy", "pytest", "pytest-cov", "pytest-xdist"];

/**
 * What an installation of the project reads: an edit of any other file changes neither what is
 * installed nor how, and installs nothing again.
 */
const SKELETON = [
  "pyproject.toml",
  "setup.py",
  "setup.cfg",
  "MANIFEST.in",
  "PKG-INFO",
  "README*",
  "LICEN[CS]E*",
  "uv.lock",
  "*requirements*.txt",
  "requirements",
  "constraints*.txt",
  "*.py",
  "src/*.py",
  "**/__init__.py",
  "**/__about__.py",
  "**/__version__.py",
  "**/_version.py",
  "**/version.py",
  "**/py.typed",
];

/** Exact requirements: the same versions are tested, audited and shipped. */
interface Needed {
  /** What the service needs and what its checks need. */
  readonly all: Requirements;
  /** What the running service needs. */
  readonly runtime: Requirements;
}

/**
 * The project's dependencies as exact requirements: out of its lock file, or resolved where it has
 * none (and then kept by the engine's cache until what they are declared in changes).
 *
 * @throws ExecError with uv's words when uv.lock is stale or nothing satisfies the declaration; SlipwayError
 *   LOCK when the index has other files than the hashes in the requirements files say.
 */
export async function exactRequirements(context: Context): Promise<Needed> {
  const { project, config } = context;
  if (project.poetryLock) {
    const { groups, extras } = selection(context);
    const lock = project.poetryLock;
    return {
      all: lock.requirements({ groups: ["main", ...groups], extras }),
      runtime: lock.requirements({ groups: ["main"], extras: config.python.extras }),
    };
  }
  const base = pythonBase(context)
    .withMountedDirectory(SOURCE, skeleton(context.source))
    .withWorkdir(SOURCE);
  const declared = project.kind === "requirements" ? await declarationTexts(context) : [];
  const all = heldToDeclared(await resolved(base, allCommand(context), context), declared);
  const constrained = base.withNewFile(`${REQUIREMENTS}/all.txt`, all);
  const runtime = await resolved(constrained, runtimeCommand(context), context);
  return {
    all: fromConfigured(all),
    runtime: fromConfigured(heldToDeclared(runtime, declared)),
  };
}

/** The requirements files of service and checks, and those that they take in. */
async function declarationTexts({ project, source }: Context): Promise<string[]> {
  const files = project.testSources.filter(({ kind }) => kind === "file").map(({ name }) => name);
  const waiting = [...project.requirementFiles, ...files];
  const texts = new Map<string, string>();
  for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
    if (texts.has(path)) continue;
    // One that is not there is uv's to tell.
    const text = await source
      .file(path)
      .contents()
      .catch(() => "");
    texts.set(path, text);
    waiting.push(...includedFiles(text).map((each) => posix.join(posix.dirname(path), each)));
  }
  return [...texts.values()];
}

async function resolved(
  container: Container,
  command: readonly string[],
  context: Context,
): Promise<string> {
  const file = `${REQUIREMENTS}/resolved.txt`;
  const text = await withUv(container, [...command, `--output-file=${file}`], context)
    .file(file)
    .contents();
  return withoutLocal(text);
}

/** uv's arguments that write the exact requirements of service and checks. */
export function allCommand(context: Pick<Context, "project" | "config">): string[] {
  const { groups, extras } = selection(context);
  const names = [
    ...groups.map((group) => `--group=${group}`),
    ...extras.map((extra) => `--extra=${extra}`),
  ];
  if (context.project.kind === "uv") return [...EXPORT, "--no-default-groups", ...names];
  const files = context.project.testSources.filter((source) => source.kind === "file");
  return [
    ...COMPILE,
    ...declarations(context, extras),
    ...files.map((file) => file.name),
    ...names,
  ];
}

/** uv's arguments that write the exact requirements of the running service. */
export function runtimeCommand(context: Pick<Context, "project" | "config">): string[] {
  const extras = context.config.python.extras;
  const names = extras.map((extra) => `--extra=${extra}`);
  if (context.project.kind === "uv") return [...EXPORT, "--no-default-groups", ...names];
  return [
    ...COMPILE,
    `--constraint=${REQUIREMENTS}/all.txt`,
    ...declarations(context, extras),
    ...names,
  ];
}

const QUIET = ["--quiet", "--no-header", "--no-annotate"];

/** `--locked` refuses a uv.lock that does not belong to the pyproject.toml beside it. */
const EXPORT = ["export", ...QUIET, "--locked", "--no-emit-local"];
const COMPILE = ["pip", "compile", ...QUIET, "--generate-hashes"];

/** Files that declare the dependencies; extras stand in pyproject.toml. */
function declarations(
  { project }: Pick<Context, "project">,
  extras: readonly string[],
): readonly string[] {
  if (project.kind === "pep621") return ["pyproject.toml"];
  return extras.length > 0
    ? [...project.requirementFiles, "pyproject.toml"]
    : project.requirementFiles;
}

function selection({ project, config }: Pick<Context, "project" | "config">): {
  groups: string[];
  extras: string[];
} {
  const named = (kinds: readonly string[]): string[] =>
    project.testSources.filter(({ kind }) => kinds.includes(kind)).map(({ name }) => name);
  return {
    groups: named(["group", "poetry-group"]),
    extras: [...new Set([...named(["extra"]), ...config.python.extras])],
  };
}

/** Without the project itself (`-e .`): it is installed later, from its source. */
export function withoutLocal(requirements: string): string {
  return requirements
    .split("\n")
    .filter((line) => !/^(-e\s|--editable\s|\.|\/|file:)|@ file:/.test(line))
    .join("\n");
}

/** Normalised names of the packages that exact requirements install. */
export function packageNames(requirements: string): Set<string> {
  const names = requirements.matchAll(/^([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*(?:==|@)/gm);
  return new Set([...names].map(([, name = ""]) => normalizeName(name)));
}

/** Version of a tool in the project's environment: the project's own, otherwise the pinned one. */
export async function installedVersion(context: Context, tool: Tool): Promise<string> {
  const { all } = await exactRequirements(context);
  return pinnedRequirements([all.text]).get(tool) ?? toolVersion(tool, context.project.locked);
}

/** What is needed to know and to install the project, but none of its code. */
function skeleton(source: Directory): Directory {
  return source.filter({ include: SKELETON });
}

/** A container that holds one tool and nothing of the project, with the source mounted. */
export function toolContainer(
  context: Context,
  tool: Tool,
  further: readonly string[] = [],
): Container {
  const packages = [toolRequirement(tool, context.project.locked), ...further];
  const environment = withVirtualEnvironment(pythonBase(context), "/tools", context);
  return withUv(environment, ["pip", "install", "--quiet", ...packages], context)
    .withMountedDirectory(SOURCE, context.source)
    .withWorkdir(SOURCE);
}

/**
 * A container in which the project and its tests can be imported: all its dependencies, the tools
 * that have to be beside them, and the project itself, which is linked to the mounted source.
 */
export async function projectContainer(context: Context): Promise<Container> {
  const { project, source } = context;
  const { all } = await exactRequirements(context);
  const installed = packageNames(all.text);
  const missing = INSIDE.filter((tool) => !installed.has(tool)).map((tool) =>
    toolRequirement(tool, project.locked),
  );
  let environment = withInstalled(
    withVirtualEnvironment(pythonBase(context), ENVIRONMENT, context),
    all,
    context,
  );
  if (missing.length > 0)
    environment = withUv(
      environment,
      ["pip", "install", "--quiet", "--constraint", REQUIREMENTS_FILE, ...missing],
      context,
    );
  if (project.installable) return await withProject(environment, context);
  const paths = project.layout.kind === "src" ? `${SOURCE}/src` : SOURCE;
  return environment
    .withEnvVariable("PYTHONPATH", paths)
    .withEnvVariable("MYPYPATH", paths)
    .withMountedDirectory(SOURCE, source)
    .withWorkdir(SOURCE);
}

/**
 * Links the project into the environment by its own build backend, so that its metadata, scripts
 * and plugins are what they are for its users.
 */
async function withProject(environment: Container, context: Context): Promise<Container> {
  const link = (files: Directory): Container =>
    withUv(
      withVersion(environment, context).withMountedDirectory(SOURCE, files).withWorkdir(SOURCE),
      ["pip", "install", "--quiet", "--no-deps", "--editable", "."],
      context,
    );
  try {
    const linked = await link(skeleton(context.source)).sync();
    return linked.withMountedDirectory(SOURCE, context.source);
  } catch {
    // A backend that reads or compiles more than the skeleton: it gets all, at each edit.
    return link(context.source);
  }
}
