import { createHash } from "node:crypto";
import { table, type TomlTable } from "../toml.js";

const PROJECT_KEYS = ["requires-python", "dependencies", "optional-dependencies"];
const POETRY_KEYS = ["dependencies", "source", "extras", "dev-dependencies"];

/**
 * The `content-hash` that Poetry writes into poetry.lock for a pyproject.toml: SHA-256 of the JSON
 * (keys sorted, ASCII) of what decides the dependencies. Poetry before 2.3 left the dependency
 * groups (PEP 735) out.
 */
export function poetryContentHash(pyproject: TomlTable, withGroups: boolean): string {
  const project = table(pyproject, "project");
  const poetry = table(pyproject, "tool", "poetry");
  const groups = withGroups ? table(pyproject, "dependency-groups") : undefined;

  const content: TomlTable = {};
  const relevantProject = pick(project, PROJECT_KEYS);
  if (Object.keys(relevantProject).length > 0) content.project = relevantProject;
  if (groups && Object.keys(groups).length > 0) content["dependency-groups"] = groups;

  const relevantPoetry = pick(poetry, [...POETRY_KEYS, "group"]);
  const legacy = Object.keys(content).length === 0;
  if (legacy) for (const key of POETRY_KEYS) relevantPoetry[key] ??= null;
  const all = legacy ? relevantPoetry : { ...content, tool: { poetry: relevantPoetry } };
  return createHash("sha256").update(pythonJson(all)).digest("hex");
}

function pick(from: TomlTable | undefined, keys: readonly string[]): TomlTable {
  return Object.fromEntries(
    keys.filter((key) => from?.[key] !== undefined).map((key) => [key, from?.[key]]),
  );
}

/** JSON as Python's `json.dumps(value, sort_keys=True)` writes it. */
function pythonJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(pythonJson).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).sort(([a], [b]) => byCodePoint(a, b));
    return `{${entries.map(([key, inner]) => `${pythonJson(key)}: ${pythonJson(inner)}`).join(", ")}}`;
  }
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function byCodePoint(a: string, b: string): number {
  const [left, right] = [Array.from(a), Array.from(b)];
  for (let index = 0; index < Math.min(left.length, right.length); index++) {
    const difference = (left[index]?.codePointAt(0) ?? 0) - (right[index]?.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
