import { SlipwayError } from "../errors.js";
import { nearest } from "../nearest.js";
import { table, type TomlTable } from "../toml.js";
import { testRequirements } from "./kind.js";
import { normalizeName, sameName } from "./names.js";
import type { DependencySource, ProjectKind } from "./types.js";

/** Names that groups and extras with the checks' dependencies usually have. */
const USUAL = ["test", "tests", "testing", "dev"];

/**
 * Where the dependencies of the checks are declared.
 *
 * @param wanted `python.groups` of the configuration; undefined takes what is usual.
 * @throws SlipwayError PROJECT when a wanted one does not exist.
 */
export function testSources(
  kind: ProjectKind,
  paths: readonly string[],
  pyproject: TomlTable | undefined,
  wanted: readonly string[] | undefined,
): DependencySource[] {
  const declared = declaredSources(kind, pyproject);
  // A lock file covers groups and extras only; loose files would bring in what it does not pin.
  const files = kind === "poetry" || kind === "uv" ? [] : testRequirements(paths);
  if (wanted === undefined)
    return [
      ...declared.filter((source) => USUAL.some((name) => sameName(name, source.name))),
      ...files.map((name) => ({ kind: "file", name }) as const),
    ];
  return wanted.map((name) => {
    const match = declared.find((source) => sameName(source.name, name));
    if (match) return match;
    const names = declared.map((source) => source.name);
    const meant = nearest(normalizeName(name), names);
    throw new SlipwayError(
      "PROJECT",
      `python.groups names "${name}", and the project has no such group or extra${meant === undefined ? "" : `; did you mean "${meant}"?`} It has: ${names.join(", ") || "none"}.`,
    );
  });
}

function declaredSources(kind: ProjectKind, pyproject: TomlTable | undefined): DependencySource[] {
  const poetry = table(pyproject, "tool", "poetry");
  const named = (
    sourceKind: DependencySource["kind"],
    group: TomlTable | undefined,
  ): DependencySource[] => Object.keys(group ?? {}).map((name) => ({ kind: sourceKind, name }));
  const poetryGroups = [
    ...named("poetry-group", table(poetry, "group")),
    ...(table(poetry, "dev-dependencies") ? [{ kind: "poetry-group", name: "dev" } as const] : []),
  ];
  const groups = named("group", table(pyproject, "dependency-groups"));
  const all = [
    ...groups,
    // One name may stand in both tables: Poetry reads them as one group.
    ...(kind === "poetry"
      ? poetryGroups.filter((one) => !groups.some((group) => sameName(group.name, one.name)))
      : []),
    ...named(
      "extra",
      table(pyproject, "project", "optional-dependencies") ??
        (kind === "poetry" ? table(poetry, "extras") : undefined),
    ),
  ];
  return kind === "uv" &&
    table(pyproject, "tool", "uv")?.["dev-dependencies"] !== undefined &&
    !groups.some((group) => group.name === "dev")
    ? [...all, { kind: "group", name: "dev" }]
    : all;
}
