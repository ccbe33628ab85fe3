import { SlipwayError } from "../errors.js";
import { isTable, readTomlValues, table, text, texts, type TomlTable } from "../toml.js";
import { poetryContentHash } from "./content-hash.js";
import { applyExtras, join, parseMarker, printMarker, type Marker } from "./marker.js";
import { normalizeName } from "./names.js";
import type { Requirements } from "./requirements.js";

const FILE = "poetry.lock";

/** What an installation takes from the lock. */
export interface LockSelection {
  /** `main` and the names of groups. */
  readonly groups: readonly string[];
  readonly extras: readonly string[];
}

/** A poetry.lock that has been read; formats 2.1 and later 2.x. */
export interface PoetryLock {
  /** Versions by normalised name. */
  readonly versions: ReadonlyMap<string, string>;
  /** Groups that packages belong to. */
  readonly groups: readonly string[];
  /** @throws SlipwayError LOCK for a package that comes from git, a URL or a path. */
  requirements(selection: LockSelection): Requirements;
}

/**
 * Reads poetry.lock and makes sure that it belongs to this pyproject.toml.
 *
 * @throws SlipwayError LOCK when it is stale, broken or of a format without groups.
 */
export function readPoetryLock(lockText: string, pyproject: TomlTable): PoetryLock {
  const lock = readTomlValues(lockText, FILE);
  const metadata = table(lock, "metadata");
  const format = text(metadata?.["lock-version"]);
  if (metadata === undefined || format === undefined)
    throw new SlipwayError(
      "LOCK",
      `${FILE} has no [metadata] with lock-version: it is broken or cut short. Run \`poetry lock\` and commit the result.`,
    );
  const [major = 0, minor = 0] = format.split(".").map(Number);
  if (major !== 2 || minor < 1)
    throw new SlipwayError(
      "LOCK",
      `${FILE} has format ${format}, which does not say what each dependency group needs. Run \`poetry lock\` with Poetry 2 and commit the result.`,
    );
  refuseStale(lockText, text(metadata["content-hash"]), pyproject);
  const packages = (Array.isArray(lock.package) ? lock.package : []).filter(isTable);
  return {
    versions: new Map(
      packages.map((one) => [normalizeName(text(one.name) ?? ""), text(one.version) ?? ""]),
    ),
    groups: [...new Set(packages.flatMap((one) => texts(one.groups)))],
    requirements: (selection) => requirements(packages, selection),
  };
}

function refuseStale(lockText: string, hash: string | undefined, pyproject: TomlTable): void {
  const generator = /by Poetry (\d+)\.(\d+)/.exec(lockText.slice(0, 200));
  const old =
    generator !== null &&
    (Number(generator[1]) < 2 || (generator[1] === "2" && Number(generator[2]) < 3));
  const current = [true, ...(old ? [false] : [])].map((groups) =>
    poetryContentHash(pyproject, groups),
  );
  if (hash === undefined || !current.includes(hash))
    throw new SlipwayError(
      "LOCK",
      `${FILE} is stale: pyproject.toml's dependencies changed after it was written. Run \`poetry lock\` and commit the result.`,
    );
}

function requirements(packages: readonly TomlTable[], selection: LockSelection): Requirements {
  const parts = new Map<string | undefined, string>();
  for (const one of packages) {
    const name = text(one.name) ?? "?";
    const marker = wanted(one, name, selection);
    if (marker.kind === "never") continue;
    const index = indexOf(name, table(one, "source"));
    const condition = printMarker(marker);
    const line = [
      `${name}==${text(one.version) ?? ""}${condition && ` ; ${condition}`}`,
      ...hashes(one, name),
    ].join(" \\\n    ");
    parts.set(index, `${parts.get(index) ?? ""}${line}\n`);
  }
  return {
    text: [...parts.values()].join(""),
    parts: [...parts].map(([index, some]) => ({ text: some, ...(index && { index }) })),
  };
}

/** When the selection needs a package: in any of its groups, under that group's marker. */
function wanted(one: TomlTable, name: string, selection: LockSelection): Marker {
  const groups = texts(one.groups).filter((group) =>
    selection.groups.some((selected) => normalizeName(selected) === normalizeName(group)),
  );
  const markers = groups.map((group) => {
    const written = isTable(one.markers) ? text(one.markers[group]) : text(one.markers);
    const marker: Marker | undefined =
      written === undefined ? { kind: "always" } : parseMarker(written);
    if (!marker)
      throw new SlipwayError(
        "LOCK",
        `${FILE}: the marker of ${name} cannot be read: ${written ?? ""}. Run \`poetry lock\` and commit the result.`,
      );
    return applyExtras(marker, selection.extras.map(normalizeName));
  });
  return join("or", markers);
}

/** The public index by another name: `index.url` takes its place too. */
const PUBLIC = /^https:\/\/pypi\.org(\/|$)/;

/** The package index that the lock has a package from; undefined for the public one. */
function indexOf(name: string, source: TomlTable | undefined): string | undefined {
  const type = text(source?.type);
  if (type === undefined || type === "legacy") {
    const url = text(source?.url);
    return url === undefined || PUBLIC.test(url) ? undefined : url;
  }
  throw new SlipwayError(
    "LOCK",
    `${FILE}: ${name} comes from ${{ git: "a git repository", url: "a URL", directory: "a folder", file: "a file" }[type] ?? type}, which has no hash to check. Depend on a released version (or publish one to a private index), run \`poetry lock\` and commit the result.`,
  );
}

function hashes(one: TomlTable, name: string): string[] {
  const files = (Array.isArray(one.files) ? one.files : []).filter(isTable);
  const found = files
    .map((file) => text(file.hash) ?? "")
    .filter((hash) => /^sha(256|384|512):[0-9a-f]+$/.test(hash));
  if (found.length === 0)
    throw new SlipwayError(
      "LOCK",
      `${FILE}: ${name} has no hashes. Run \`poetry lock\` and commit the result.`,
    );
  return [...new Set(found)].sort().map((hash) => `--hash=${hash}`);
}
