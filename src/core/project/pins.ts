import { normalizeName } from "./names.js";

/**
 * Versions that uv.lock holds, by normalised name. uv writes the file itself, one `[[package]]`
 * after the other, name and version first; reading only those is ten times faster than all of it.
 */
export function uvLockVersions(lock: string): Map<string, string> {
  const versions = new Map<string, string>();
  for (const block of lock.split(/^\[\[package\]\]\s*$/m).slice(1)) {
    const name = /^name = "([^"]+)"/m.exec(block)?.[1];
    const version = /^version = "([^"]+)"/m.exec(block)?.[1];
    if (name !== undefined && version !== undefined) versions.set(normalizeName(name), version);
  }
  return versions;
}

/** Exact pins (`name==1.2`) of requirements files, by normalised name; the first of a name counts. */
export function pinnedRequirements(contents: readonly string[]): Map<string, string> {
  const pins = new Map<string, string>();
  for (const line of contents.join("\n").split("\n")) {
    const match =
      /^\s*([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*={2,3}\s*([^\s;#\\,*]+)\s*(?:[;#\\].*)?$/.exec(
        line.replace(/\s--hash=.*$/, ""),
      );
    const [, name, version] = match ?? [];
    if (name !== undefined && version !== undefined && !pins.has(normalizeName(name)))
      pins.set(normalizeName(name), version);
  }
  return pins;
}
