import type { Config } from "../config/schema.js";
import { SlipwayError } from "../errors.js";
import { table, texts, type TomlTable } from "../toml.js";
import { normalizeName } from "./names.js";
import type { Project } from "./types.js";

const NOT_PACKAGES = new Set(
  "test tests testing docs doc examples example scripts build dist venv env node_modules site-packages benchmarks tools".split(
    " ",
  ),
);

/**
 * Where the code and the tests are.
 *
 * @throws SlipwayError PROJECT when a configured path is not there.
 */
export function findLayout(
  paths: readonly string[],
  name: string,
  pyproject: TomlTable | undefined,
  config: Config["project"],
): Project["layout"] {
  const tree = new Tree(paths);
  for (const [key, values] of Object.entries({
    "project.source": config.source,
    "project.tests": config.tests,
  }))
    for (const path of values ?? [])
      if (!tree.exists(path))
        throw new SlipwayError(
          "PROJECT",
          `${key} names ${path}, which is not there. Correct it in [tool.slipway.project].`,
        );

  const inSrc = packagesIn(tree, "src", name);
  const flat = inSrc.length > 0 ? [] : flatCode(tree, name);
  const packages = inSrc.length > 0 ? inSrc : flat;
  return {
    kind: inSrc.length > 0 ? "src" : "flat",
    packages: packages.map((path) => path.replace(/^src\//, "").replace(/\.py$/, "")),
    source: config.source ?? (inSrc.length > 0 ? ["src"] : flat),
    tests: config.tests ?? findTests(tree, packages, pyproject),
  };
}

/** Packages and modules right below a folder: what is named like the project first. */
function packagesIn(tree: Tree, folder: string, name: string): string[] {
  const found = tree.below(folder).filter((path) => {
    const base = path.slice(folder === "" ? 0 : folder.length + 1);
    if (base.startsWith(".") || base.startsWith("_") || NOT_PACKAGES.has(base)) return false;
    if (base.endsWith(".py"))
      return folder === "src" ? true : sameAsProject(base.slice(0, -3), name);
    if (!/^[A-Za-z]\w*$/.test(base) || !tree.isFolder(path)) return false;
    return (
      tree.exists(`${path}/__init__.py`) ||
      sameAsProject(base, name) ||
      (folder === "src" && tree.below(path).length === 0)
    );
  });
  return found.sort(
    (a, b) => Number(sameAsProject(b, name)) - Number(sameAsProject(a, name)) || (a < b ? -1 : 1),
  );
}

/** The packages beside pyproject.toml, or the plain modules where there is no package. */
function flatCode(tree: Tree, name: string): string[] {
  const packages = packagesIn(tree, "", name);
  if (packages.length > 0) return packages;
  const helper = /^(setup|conftest|noxfile|tasks|fabfile|test_.*|.*_test)\.py$/;
  return tree.below("").filter((path) => /^[A-Za-z]\w*\.py$/.test(path) && !helper.test(path));
}

function findTests(
  tree: Tree,
  packages: readonly string[],
  pyproject: TomlTable | undefined,
): string[] {
  const usual = ["tests", "test"].filter((path) => tree.isFolder(path));
  if (usual.length > 0) return usual.slice(0, 1);
  const pytest = table(pyproject, "tool", "pytest");
  const declared = texts((table(pytest, "ini_options") ?? pytest)?.testpaths).filter((path) =>
    tree.exists(path),
  );
  if (declared.length > 0) return declared;
  const inside = packages
    .flatMap((path) => [`${path}/tests`, `${path}/test`])
    .filter((path) => tree.isFolder(path));
  if (inside.length > 0) return inside;
  return tree.below("").filter((path) => /^(test_.*|.*_test)\.py$/.test(path));
}

function sameAsProject(path: string, name: string): boolean {
  return normalizeName(path.split("/").at(-1) ?? "") === name;
}

/** Paths as a tree; folders are known by their slash or by what they hold. */
class Tree {
  private readonly children = new Map<string, Set<string>>();
  private readonly all = new Set<string>();

  constructor(paths: readonly string[]) {
    for (const path of paths) {
      const parts = path.split("/").filter((part) => part !== "" && part !== ".");
      parts.forEach((_, index) => {
        const parent = parts.slice(0, index).join("/");
        const self = parts.slice(0, index + 1).join("/");
        this.all.add(self);
        this.of(parent).add(self);
      });
      if (path.endsWith("/")) this.of(parts.join("/"));
    }
  }

  exists(path: string): boolean {
    const plain = path.replace(/^\.\/|\/+$/g, "");
    return plain === "" || plain === "." || this.all.has(plain);
  }

  isFolder(path: string): boolean {
    return this.children.has(path);
  }

  below(folder: string): string[] {
    return [...(this.children.get(folder) ?? [])];
  }

  private of(folder: string): Set<string> {
    const known = this.children.get(folder) ?? new Set();
    this.children.set(folder, known);
    return known;
  }
}
