import * as z from "zod";
import { configSchema } from "./schema.js";

/** One key of `[tool.slipway]`. */
export interface Leaf {
  /** `["test", "coverage", "minimum"]` */
  readonly path: readonly string[];
  readonly schema: z.core.$ZodType;
}

/** Environment variables besides `SLIPWAY_*`, known from registries. */
const ALIASES: Readonly<Record<string, string>> = {
  MLFLOW_TRACKING_URI: "model.tracking",
  REGISTRY_HOST: "publish.registry",
  REGISTRY_REPO: "publish.repository",
  MODEL_REGISTRY_NAME: "model.name",
  MODEL_ALIAS: "model.alias",
  MODEL_STAGE: "model.stage",
  MODEL_VERSION: "model.version",
  MODEL_RUN_ID: "model.run",
  MODEL_DIGEST: "model.digest",
};

/** Every key, in the order of the documentation. */
export const leaves: readonly Leaf[] = collect(configSchema, []);

/** Names that are valid right below a path, in tables of a list too; empty below keys that hold plain values. */
export function namesBelow(path: readonly PropertyKey[]): string[] {
  let at: z.core.$ZodType | undefined = configSchema;
  for (const name of path) at = at && child(unwrap(at), name);
  const inner = at && unwrap(at);
  return inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
}

function child(schema: z.core.$ZodType, name: PropertyKey): z.core.$ZodType | undefined {
  if (schema instanceof z.ZodArray) return schema.element;
  if (!(schema instanceof z.ZodObject)) return undefined;
  return (schema.shape as Record<PropertyKey, z.core.$ZodType>)[name];
}

export function findLeaf(key: string): Leaf | undefined {
  return leaves.find((leaf) => leaf.path.join(".") === key);
}

/** `test.coverage.minimum` → `SLIPWAY_TEST_COVERAGE_MINIMUM` */
export function environmentName(path: readonly string[]): string {
  return `SLIPWAY_${path.join("_").toUpperCase()}`;
}

/** Every variable that sets a key, by name; where two set one key, the later wins. */
export const environmentNames: ReadonlyMap<string, Leaf> = new Map(
  [
    ...Object.entries(ALIASES).map(([name, key]) => [name, findLeaf(key)] as const),
    ...leaves.map((leaf) => [environmentName(leaf.path), leaf] as const),
  ].filter((entry): entry is [string, Leaf] => entry[1] !== undefined),
);

function collect(schema: z.core.$ZodType, path: readonly string[]): Leaf[] {
  const inner = unwrap(schema);
  if (!(inner instanceof z.ZodObject)) return [{ path, schema }];
  return Object.entries(inner.shape as Record<string, z.core.$ZodType>).flatMap(([name, child]) =>
    collect(child, [...path, name]),
  );
}

function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  return schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodDefault
    ? unwrap(schema.unwrap())
    : schema;
}
