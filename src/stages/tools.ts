/** Tools by their package name, in the version used when the project locks none. */
const PINNED = {
  bandit: "1.9.4",
  mypy: "2.4.1",
  "pip-audit": "2.10.1",
  pytest: "9.2.0",
  "pytest-cov": "7.1.0",
  "pytest-xdist": "3.8.0",
  ruff: "0.17.6",
  safety: "3.2.14",
} as const;

export type Tool = keyof typeof PINNED;

/** Version of a tool: the one the project locks, so that both agree, otherwise a pinned one. */
export function toolVersion(tool: Tool, locked: ReadonlyMap<string, string>): string {
  return locked.get(tool) ?? PINNED[tool];
}

/** `ruff==0.17.6` */
export function toolRequirement(tool: Tool, locked: ReadonlyMap<string, string>): string {
  return `${tool}==${toolVersion(tool, locked)}`;
}
