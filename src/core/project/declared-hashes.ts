import { SlipwayError } from "../errors.js";
import { normalizeName } from "./names.js";

/** Hashes of a package's files, as `sha256:…`, by `name==version`. */
type Hashes = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * Exact requirements held to the hashes that the project's requirements files declare. Resolving writes
 * down the hashes that the index says now, and asks for none: without this a package whose files were
 * exchanged under their version would be installed by its new hash.
 *
 * @param texts The project's requirements files.
 * @returns The requirements, each with those of its hashes that are declared, where any is.
 * @throws SlipwayError LOCK naming every package of which the index has no declared file.
 */
export function heldToDeclared(requirements: string, texts: readonly string[]): string {
  const declared = readHashes(texts);
  if (declared.size === 0) return requirements;
  const bad: string[] = [];
  const held = logicalLines(requirements).map((line) => {
    const { key, hashes } = read(line);
    const wanted = key === undefined ? undefined : declared.get(key);
    if (key === undefined || !wanted) return line;
    const kept = hashes.filter((hash) => wanted.has(hash));
    if (kept.length === 0) bad.push(key);
    const head = line.replace(/\s*\\?\n?\s*--hash[= ]\S+/g, "").trimEnd();
    return [head, ...kept.map((hash) => `    --hash=${hash}`)].join(" \\\n");
  });
  if (bad.length === 0) return held.join("\n");
  throw new SlipwayError(
    "LOCK",
    `The index has other files than the hashes in the requirements files say, of ${bad.join(", ")}. Nothing was installed. Find out why before you write down new hashes: under one version a package does not change.`,
  );
}

/** Paths of the files that a requirements file takes in (`-r`, `-c`), as it spells them. */
export function includedFiles(text: string): string[] {
  const lines = text.split(/\r?\n/);
  return lines.flatMap((line) => {
    const [, path] = /^\s*(?:-r|-c|--requirement|--constraint)[= ]?\s*([^\s#]+)/.exec(line) ?? [];
    return path === undefined || /^[a-z]+:\/\//.test(path) ? [] : [path];
  });
}

function readHashes(texts: readonly string[]): Hashes {
  const found = new Map<string, Set<string>>();
  for (const line of texts.flatMap(logicalLines)) {
    const { key, hashes } = read(line);
    if (key === undefined || hashes.length === 0) continue;
    found.set(key, new Set([...(found.get(key) ?? []), ...hashes]));
  }
  return found;
}

/** Lines, those that a backslash continues as one. */
function logicalLines(text: string): string[] {
  const lines: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    const last = lines.at(-1);
    if (last?.endsWith("\\")) lines[lines.length - 1] = `${last}\n${line}`;
    else lines.push(line);
  }
  return lines;
}

function read(line: string): { key?: string; hashes: string[] } {
  const [, name, version] =
    /^\s*([A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)\s*(?:\[[^\]]*\])?\s*===?\s*([^\s;\\]+)/.exec(line) ??
    [];
  const hashes = [...line.matchAll(/--hash[= ](\w+:[0-9a-fA-F]+)/g)].map(([, hash = ""]) =>
    hash.toLowerCase(),
  );
  return {
    hashes,
    ...(name !== undefined &&
      version !== undefined && { key: `${normalizeName(name)}==${version}` }),
  };
}
