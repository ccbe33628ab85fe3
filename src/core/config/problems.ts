import type * as z from "zod";
import { nearest } from "../nearest.js";
import { leaves, namesBelow } from "./leaves.js";

/** A fault of the merged configuration, before it is known which layer it came from. */
export interface Fault {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** What zod found, in words for the reader; unknown keys become one fault each. */
export function faults(issues: readonly z.core.$ZodIssue[], input: unknown): Fault[] {
  return issues.flatMap((issue): Fault[] => {
    if (issue.code === "unrecognized_keys")
      return issue.keys.map((key) => ({
        path: [...issue.path, key],
        message: unknownKey(key, issue.path),
      }));
    return [
      {
        path: issue.path,
        message: `${expectation(issue)}${received(issue, inner(input, issue.path))}`,
      },
    ];
  });
}

/** `unknown key; did you mean "workers"?` */
export function unknownKey(key: string, parent: readonly PropertyKey[]): string {
  const valid = namesBelow(parent);
  const meant = nearest(key, valid);
  if (meant !== undefined) return `unknown key; did you mean "${meant}"?`;
  const elsewhere = leaves.find((leaf) => leaf.path.at(-1) === key);
  if (elsewhere) return `unknown key here; did you mean "${elsewhere.path.join(".")}"?`;
  return `unknown key; valid are ${valid.join(", ")}`;
}

/** Text of a value for a message: short, on one line, without credentials. */
function show(value: unknown): string {
  const text = (JSON.stringify(value) as string | undefined) ?? String(value);
  const safe = text.replace(/\/\/[^/@\s"]*@/g, "//***@");
  return safe.length > 60 ? `${safe.slice(0, 57)}...` : safe;
}

function expectation(issue: z.core.$ZodIssue): string {
  if (issue.message.startsWith("expected")) return issue.message;
  switch (issue.code) {
    case "invalid_type":
      return `expected ${article(issue.expected)}`;
    case "invalid_value":
      return `expected ${list(issue.values.map(String))}`;
    case "too_small":
      return issue.origin === "string" || issue.origin === "array"
        ? "expected at least one character or entry"
        : `expected at least ${issue.minimum}`;
    case "too_big":
      return `expected at most ${issue.maximum}`;
    default:
      return issue.message;
  }
}

function received(issue: z.core.$ZodIssue, value: unknown): string {
  if (value === undefined) return ", but it is missing";
  const meant =
    issue.code === "invalid_value" && typeof value === "string"
      ? nearest(value, issue.values.map(String))
      : undefined;
  return `, got ${show(value)}${meant === undefined ? "" : `; did you mean "${meant}"?`}`;
}

function inner(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (current, key) =>
      typeof current === "object" && current !== null
        ? (current as Record<PropertyKey, unknown>)[key]
        : undefined,
    value,
  );
}

function article(type: string): string {
  if (type === "object" || type === "record") return "a table";
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`;
}

function list(names: string[]): string {
  return names.length > 1 ? `one of ${names.join(", ")}` : names.join("");
}
