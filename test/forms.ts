import { readFileSync } from "node:fs";

import * as ajv2020 from "ajv/dist/2020.js";
import * as assert from "uvu/assert";
import * as z from "zod";

import { OUTPUTS } from "../ci/cli/outputs/index.js";

/** What is wrong with a value by a schema of docs/schemas; nothing when it accepts it. */
export function judged(name: string, value: unknown): string[] {
  const file = new URL(`../docs/schemas/${name}.schema.json`, import.meta.url);
  return complaints(JSON.parse(readFileSync(file, "utf8")) as object, value);
}

/**
 * Holds what a command printed to the published schema of its form, and to the keys that this says:
 * one that nobody described is an error here, although readers have to bear with it.
 */
export function ofForm(name: keyof typeof OUTPUTS, text: string): unknown {
  const value: unknown = JSON.parse(text);
  assert.equal(judged(name, value), [], `${name} is not of its published form`);
  const closed = z.toJSONSchema(OUTPUTS[name].schema as z.ZodType, { io: "output" });
  assert.equal(complaints(closed, value), [], `${name} has what its schema does not describe`);
  return value;
}

function complaints(schema: object, value: unknown): string[] {
  const ajv = new ajv2020.Ajv2020({ allErrors: true, strict: false });
  const validate = ajv.compile(schema);
  if (validate(value)) return [];
  return (validate.errors ?? []).map(
    ({ instancePath, message = "", params }) =>
      `${instancePath} ${message} ${JSON.stringify(params)}`,
  );
}
