import { createHash } from "node:crypto";

/** A value that JSON can hold. */
export type Json =
  string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** JSON with sorted keys: equal values give equal text, whatever order they were built in. */
export function canonical(value: Json | undefined): string {
  if (value === undefined) return "null";
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(canonical).join(",")}]`;
  const entries = Object.entries(value as Record<string, Json | undefined>)
    .filter(([, item]) => item !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`);
  return `{${entries.join(",")}}`;
}

/** Raised when what an operation makes changes, so that older results in a store are left alone. */
const GENERATION = 2;

/** The identity of a piece of work: 40 hexadecimal characters of SHA-256 over its parts. */
export function digestOf(...parts: (Json | undefined)[]): string {
  const hash = createHash("sha256").update(`${GENERATION}\0`);
  for (const part of parts) hash.update(canonical(part)).update("\0");
  return hash.digest("hex").slice(0, 40);
}
