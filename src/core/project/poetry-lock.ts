import { SlipwayError } from "../errors.js";
import { isTable, readTomlValues, table, text, texts, type TomlTable } from "../toml.js";
import { poetryContentHash } from "./content-hash.js";
import { applyExtras, join, parseMarker, printMarker, type Marker } from "./marker.js";
import { normalizeName } from "./names.js";

const FILE = "poetry.lock";

/** What an installation takes from the lock. */
export interface LockSelection {
  /** `main` and the names of groups. */
  readonly groups: readonly string[];
  readonly extras: readonly string[];
}

export interface LockedRequirements {
  /** A requirements file: `name==version ; marker --hash=sha256:…`, for `--require-hashes`. */
  readonly text: string;
  /** How many packages it names. */
  readonly count: number;
  /** Package indexes besides the public one that the lock names. */
  readonly indexes: readonly string[];
}

/** A poetry.lock that has been read; formats 2.1 and later 2.x. */
export interface PoetryLock {
  /** Versions by normalised name. */
  readonly versions: ReadonlyMap<string, string>;
  /** Groups that packages belong to. */
  readonly groups: readonly string[];
  /** @throws SlipwayError LOCK for a package that comes from git, a URL or a path. */
  requirements(selection: LockSelection): LockedRequirements;
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

function requirements(
  packages: readonly TomlTable[],
  selection: LockSelection,
): LockedRequirements {
  const lines: string[] = [];
  const indexes = new Set<string>();
  for (const one of packages) {
    const name = text(one.name) ?? "?";
    const marker = wanted(one, name, selection);
    if (marker.kind === "never") continue;
    const source = table(one, "source");
    refuseSource(name, source);
    const url = text(source?.url);
    if (url !== undefined) indexes.add(url);
    const condition = printMarker(marker);
    lines.push(
      [
        `${name}==${text(one.version) ?? ""}${condition && ` ; ${condition}`}`,
        ...hashes(one, name),
      ].join(" \\\n    "),
    );
  }
  return {
    text: lines.map((line) => `${line}\n`).join(""),
    count: lines.length,
    indexes: [...indexes],
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

function refuseSource(name: string, source: TomlTable | undefined): void {
  const type = text(source?.type);
  if (type === undefined || type === "legacy") return;
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
