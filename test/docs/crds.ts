import { Ajv, type ValidateFunction } from "ajv";
import { parse } from "yaml";

type Schema = Readonly<Record<string, unknown>>;

/**
 * Validates objects as an API server with strict field validation does: by the schema of the
 * CustomResourceDefinition, where fields that it does not name are mistakes.
 */
export function crdValidator(definition: string, version: string): ValidateFunction {
  const { spec } = parse(definition) as {
    spec: { versions: { name: string; schema: { openAPIV3Schema: Schema } }[] };
  };
  const found = spec.versions.find(({ name }) => name === version);
  if (!found) throw new Error(`the definition has no version ${version}`);
  const ajv = new Ajv({ allErrors: true, strict: false, validateFormats: false });
  const { properties, ...rest } = found.schema.openAPIV3Schema as { properties: Schema };
  // Every object has these, whether its definition describes them or not.
  const ours = { apiVersion: { type: "string" }, kind: { type: "string" } };
  const described = { ...properties, ...ours, metadata: { type: "object" } };
  return ajv.compile(closed({ ...rest, properties: described }) as Schema);
}

/** The same schema, where an object has the properties that are named and no others. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== "object" || schema === null) return schema;
  const made = Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [key, closed(value)]),
  );
  const isOpen =
    "additionalProperties" in made || made["x-kubernetes-preserve-unknown-fields"] === true;
  const isObject = typeof made.properties === "object" && made.type === "object";
  return isObject && !isOpen ? { ...made, additionalProperties: false } : made;
}
