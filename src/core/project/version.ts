import { table, text, type TomlTable } from "../toml.js";

/** Stands for the version of a project that only says it when it is built, or never. */
export const UNKNOWN_VERSION = "unknown";

/** A file that holds the version, and the variable in it; none when the file is the version. */
interface Place {
  readonly path: string;
  readonly variables?: readonly string[];
}

/** The files that `findVersion` reads, out of those that there may be. */
export function versionFiles(pyproject: TomlTable | undefined): string[] {
  return stated(pyproject) === undefined ? places(pyproject).map(({ path }) => path) : [];
}

/**
 * The version as far as it can be read without running code: in pyproject.toml, or in a file that
 * setuptools, hatch or pdm is told to take it from.
 *
 * @returns `UNKNOWN_VERSION` where git or code decides.
 */
export function findVersion(
  pyproject: TomlTable | undefined,
  contents: Readonly<Record<string, string>>,
): string {
  const found = places(pyproject)
    .map(({ path, variables }) => literal(contents[path] ?? "", variables))
    .find((version) => version !== undefined);
  return stated(pyproject) ?? found ?? UNKNOWN_VERSION;
}

/** Poetry's own is a placeholder where a plugin asks git. */
function stated(pyproject: TomlTable | undefined): string | undefined {
  const byGit = table(pyproject, "tool", "poetry-dynamic-versioning")?.enable === true;
  return (
    text(table(pyproject, "project")?.version) ??
    (byGit ? undefined : text(table(pyproject, "tool", "poetry")?.version))
  );
}

function places(pyproject: TomlTable | undefined): Place[] {
  const setuptools = table(pyproject, "tool", "setuptools", "dynamic", "version");
  const hatch = table(pyproject, "tool", "hatch", "version");
  const pdm = table(pyproject, "tool", "pdm", "version");
  const [file] = [setuptools?.file].flat();
  const attribute = text(setuptools?.attr);
  const hatchPath = hatch?.pattern === undefined ? text(hatch?.path) : undefined;
  const pdmPath = pdm?.source === "file" ? text(pdm.path) : undefined;
  return [
    ...(typeof file === "string" ? [{ path: file }] : []),
    ...(attribute === undefined ? [] : modules(attribute)),
    ...[hatchPath, pdmPath].flatMap((path) =>
      path === undefined ? [] : [{ path, variables: ["__version__", "VERSION"] }],
    ),
  ];
}

/** `orders.about.VERSION` is `VERSION` in `src/orders/about.py`, or in one of three other files. */
function modules(attribute: string): Place[] {
  if (!/^\w+(\.\w+)+$/.test(attribute)) return [];
  const names = attribute.split(".");
  const variables = names.slice(-1);
  const path = names.slice(0, -1).join("/");
  return ["src/", ""].flatMap((root) =>
    [`${root}${path}.py`, `${root}${path}/__init__.py`].map((each) => ({ path: each, variables })),
  );
}

function literal(content: string, variables?: readonly string[]): string | undefined {
  const whole = variables ? undefined : content.trim();
  const assigned = (variables ?? [])
    .map((name) =>
      new RegExp(`^${name}(?:\\s*:[^=\\n]+)?\\s*=\\s*(["'])(.+?)\\1`, "m").exec(content),
    )
    .map((match) => match?.[2])
    .find((version) => version !== undefined);
  const version = whole ?? assigned;
  return version !== undefined && /^v?\d[\w.+!-]*$/.test(version)
    ? version.replace(/^v/, "")
    : undefined;
}
