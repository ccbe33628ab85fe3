import { SlipwayError, type Problem } from "../errors.js";
import { nearest } from "../nearest.js";
import { isTable, readToml, type TomlDocument, type TomlTable } from "../toml.js";
import { coerce, splitOnce } from "./coerce.js";
import { environmentNames, findLeaf, leaves, type Leaf } from "./leaves.js";
import { faults, unknownKey } from "./problems.js";
import type { IgnoredAdvisory } from "./evidence.js";
import { configSchema, type Config } from "./schema.js";

/** Where a value comes from, and by what name: a line of the file, a variable, a flag. */
export interface Origin {
  readonly layer: "default" | "file" | "environment" | "flag";
  readonly name: string;
}

export interface ConfigInput {
  /** Text of `pyproject.toml`; undefined when there is none. */
  readonly pyproject: string | undefined;
  /** Environment variables; those that no key knows are left alone, empty ones count as unset. */
  readonly env?: Readonly<Record<string, string>>;
  /** `key=value` flags, such as `test.workers=4`; the last one wins. */
  readonly set?: readonly string[];
  /** ISO day on which `audit.ignore` entries are judged. Default: today, UTC. */
  readonly today?: string;
}

export interface ResolvedConfig {
  readonly config: Config;
  /** By key path, every key of the schema. */
  readonly origins: Readonly<Record<string, Origin>>;
  /** Entries of `audit.ignore` that have run out: they ignore nothing any more. */
  readonly expired: readonly IgnoredAdvisory[];
  /** What the reader should know although nothing is wrong. */
  readonly notices: readonly string[];
}

const FILE = "pyproject.toml";

interface Layers {
  readonly merged: TomlTable;
  readonly origins: Map<string, Origin>;
  readonly problems: Problem[];
}

/**
 * The configuration from its four layers: flag > environment > file > default.
 *
 * @throws SlipwayError CONFIG with every problem at once, each with its key and place.
 */
export function resolveConfig(input: ConfigInput): ResolvedConfig {
  const document = readToml(input.pyproject ?? "", FILE);
  const layers: Layers = { merged: fileLayer(document), origins: new Map(), problems: [] };
  for (const leaf of leaves) noteFileOrigin(layers, leaf, document);
  applyEnvironment(layers, input.env ?? {});
  for (const flag of input.set ?? []) applyFlag(layers, flag);

  const parsed = configSchema.safeParse(layers.merged);
  const problems = [
    ...layers.problems,
    ...faults(parsed.error?.issues ?? [], layers.merged).map((fault) =>
      locate(fault, layers, document),
    ),
  ];
  if (!parsed.success || problems.length > 0)
    throw new SlipwayError(
      "CONFIG",
      `The configuration has ${problems.length === 1 ? "a mistake" : `${problems.length} mistakes`}; the keys are described in docs/configuration.md.`,
      problems.sort((a, b) => (a.line ?? 0) - (b.line ?? 0)),
    );

  const today = input.today ?? new Date().toISOString().slice(0, 10);
  const expired = parsed.data.audit.ignore.filter((entry) => entry.expires < today);
  return {
    config: parsed.data,
    origins: Object.fromEntries(layers.origins),
    expired,
    notices: expired.map(
      (entry) =>
        `audit.ignore: ${entry.id} expired on ${entry.expires} and is no longer ignored; fix it, or extend it with a reason`,
    ),
  };
}

function fileLayer(document: TomlDocument): TomlTable {
  const tool = document.value.tool;
  const section = isTable(tool) ? tool.slipway : undefined;
  if (section === undefined) return {};
  if (isTable(section)) return section;
  throw new SlipwayError("CONFIG", "The configuration has a mistake.", [
    {
      source: FILE,
      key: "tool.slipway",
      message: "expected a table: [tool.slipway]",
      ...document.position(["tool", "slipway"]),
    },
  ]);
}

function noteFileOrigin(layers: Layers, leaf: Leaf, document: TomlDocument): void {
  let value: unknown = layers.merged;
  for (const name of leaf.path) value = isTable(value) ? value[name] : undefined;
  const line = document.position(["tool", "slipway", ...leaf.path])?.line;
  layers.origins.set(
    leaf.path.join("."),
    value === undefined
      ? { layer: "default", name: "default" }
      : { layer: "file", name: `${FILE}:${line ?? 1}` },
  );
}

function applyEnvironment(layers: Layers, env: Readonly<Record<string, string>>): void {
  for (const [name, leaf] of environmentNames) {
    const text = env[name];
    if (text !== undefined && text !== "")
      assign(layers, leaf, leaf.path, text, { layer: "environment", name });
  }
  const sections = new Set(leaves.map((leaf) => `SLIPWAY_${leaf.path[0]?.toUpperCase() ?? ""}_`));
  for (const name of Object.keys(env)) {
    // Other SLIPWAY_ variables belong to the command, not to the configuration.
    if (environmentNames.has(name) || ![...sections].some((section) => name.startsWith(section)))
      continue;
    const meant = nearest(name, environmentNames.keys());
    layers.problems.push({
      source: "environment",
      key: name,
      message: `unknown variable${meant === undefined ? "" : `; did you mean "${meant}"?`}`,
    });
  }
}

function applyFlag(layers: Layers, flag: string): void {
  const [key, value] = splitOnce(flag, "=");
  const path = key.trim().split(".");
  const leaf = findLeaf(path.join("."));
  const labels = findLeaf("build.labels");
  if (!flag.includes("="))
    layers.problems.push({
      source: "flag",
      key: flag,
      message: "expected key=value, such as test.workers=4",
    });
  else if (leaf)
    assign(layers, leaf, path, value, { layer: "flag", name: `--set ${path.join(".")}` });
  // A label's own name may hold dots: everything after `build.labels.` is the label.
  else if (labels && path.length > 2 && path[0] === "build" && path[1] === "labels")
    assign(layers, labels, ["build", "labels", path.slice(2).join(".")], value, {
      layer: "flag",
      name: `--set ${key}`,
    });
  else
    layers.problems.push({
      source: "flag",
      key: path.join("."),
      message: nearestFlag(path),
    });
}

function nearestFlag(path: readonly string[]): string {
  const meant = nearest(
    path.join("."),
    leaves.map((leaf) => leaf.path.join(".")),
  );
  return meant === undefined
    ? unknownKey(path.at(-1) ?? "", path.slice(0, -1))
    : `unknown key; did you mean "${meant}"?`;
}

/** Puts a value into the merged tables, without changing those of the file. */
function assign(
  layers: Layers,
  leaf: Leaf,
  path: readonly string[],
  text: string,
  origin: Origin,
): void {
  let target = layers.merged;
  for (const name of path.slice(0, -1)) {
    // A value where a table belongs stays, for the schema to name.
    if (target[name] !== undefined && !isTable(target[name])) return;
    const copy = isTable(target[name]) ? { ...target[name] } : {};
    target[name] = copy;
    target = copy;
  }
  target[path.at(-1) ?? ""] = path.length > leaf.path.length ? text : coerce(text, leaf.schema);
  layers.origins.set(leaf.path.join("."), origin);
}

function locate(
  fault: { path: readonly PropertyKey[]; message: string },
  layers: Layers,
  document: TomlDocument,
): Problem {
  const key = keyText(fault.path);
  const owner = leaves.find((leaf) => leaf.path.every((name, index) => fault.path[index] === name));
  const origin = owner && layers.origins.get(owner.path.join("."));
  if (origin?.layer === "flag" || origin?.layer === "environment")
    return { source: origin.layer, key: origin.name.replace("--set ", ""), message: fault.message };
  return {
    source: FILE,
    key,
    message: fault.message,
    ...document.position(["tool", "slipway", ...fault.path]),
  };
}

/** `audit.ignore[0].id` */
function keyText(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`))
    .join("")
    .replace(/^\./, "");
}
