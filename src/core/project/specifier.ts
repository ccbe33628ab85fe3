/**
 * Whether some release of a Python minor version (`3.12`) fits a constraint: PEP 440
 * (`>=3.11,<3.14`, `~=3.10`, `!=3.12.*`) or Poetry's (`^3.11`, `~3.12`, `3.11.*`, `a || b`).
 *
 * @returns undefined when the constraint cannot be read.
 */
export function allowsMinor(constraint: string, minor: string): boolean | undefined {
  // Constraints name patch releases seldom, and none above this.
  const patches = Array.from({ length: 40 }, (_, patch) => `${minor}.${patch}`);
  const answers = patches.map((version) => allowsVersion(constraint, version));
  return answers.includes(undefined) ? undefined : answers.includes(true);
}

/** The same for one full version (`3.12.4`). */
export function allowsVersion(constraint: string, version: string): boolean | undefined {
  const alternatives = constraint.split("||").map((alternative) =>
    alternative
      .split(",")
      .map((clause) => clause.trim())
      .filter((clause) => clause !== "")
      .map((clause) => allowsClause(clause, numbers(version))),
  );
  if (alternatives.flat().includes(undefined)) return undefined;
  return alternatives.some((clauses) => clauses.every((clause) => clause === true));
}

function allowsClause(clause: string, version: number[]): boolean | undefined {
  if (clause === "*") return true;
  const match = /^(===|==|!=|>=|<=|~=|>|<|\^|~|=)?\s*v?(\d+(?:\.\d+)*)(\.\*)?$/.exec(clause);
  if (!match) return undefined;
  const [, operator = "==", text = "", wildcard] = match;
  const bound = numbers(text);
  switch (operator) {
    case ">=":
      return compare(version, bound) >= 0;
    case "<=":
      return compare(version, bound) <= 0;
    case ">":
      return compare(version, bound) > 0;
    case "<":
      return compare(version, bound) < 0;
    case "!=":
      return !equals(version, bound, wildcard);
    case "~=":
      return compare(version, bound) >= 0 && startsWith(version, bound.slice(0, -1));
    case "~":
      return compare(version, bound) >= 0 && startsWith(version, bound.slice(0, 2));
    case "^":
      return compare(version, bound) >= 0 && startsWith(version, caretPrefix(bound));
    default:
      return equals(version, bound, wildcard);
  }
}

/** `^1.2.3` keeps everything up to the first number that is not 0. */
function caretPrefix(bound: number[]): number[] {
  const first = bound.findIndex((number) => number !== 0);
  return bound.slice(0, first < 0 ? bound.length : first + 1);
}

function equals(version: number[], bound: number[], wildcard: string | undefined): boolean {
  return wildcard === undefined ? compare(version, bound) === 0 : startsWith(version, bound);
}

function startsWith(version: number[], prefix: number[]): boolean {
  return prefix.every((number, index) => (version[index] ?? 0) === number);
}

function compare(a: number[], b: number[]): number {
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function numbers(version: string): number[] {
  return version.split(".").map(Number);
}
