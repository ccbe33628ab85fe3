/** A package's name as PEP 503 compares it: `Ruamel.YAML` → `ruamel-yaml`. */
export function normalizeName(name: string): string {
  return name
    .trim()
    .toLowerCase()
    .replace(/[-_.]+/g, "-");
}

/** A group or extra's name as PEP 685 / 735 compare it; the same rule. */
export const sameName = (a: string, b: string): boolean => normalizeName(a) === normalizeName(b);
