import { nearest } from "../../src/core/nearest.js";

/** `pipAudit` → `pip-audit`, as names are written on a command line. */
export function kebab(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, "$1-$2")
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1-$2")
    .replace(/_/g, "-")
    .toLowerCase();
}

/** The name in `names` that `word` means, whether typed `pip-audit`, `pipAudit` or `pip_audit`. */
export function sameName(word: string, name: string): boolean {
  return kebab(word) === kebab(name);
}

/** ` Did you mean "lint"?`, or nothing when no name is close; `prefix` is what flags begin with. */
export function didYouMean(word: string, names: Iterable<string>, prefix = ""): string {
  const close = nearest(word, names);
  return close === undefined ? "" : ` Did you mean "${prefix}${close}"?`;
}
