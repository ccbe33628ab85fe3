/** One step into a JSON value: a member, an element, or all of them. */
export type JsonPathStep =
  | { readonly kind: "member"; readonly name: string }
  | { readonly kind: "element"; readonly index: number }
  | { readonly kind: "all" };

const STEP = /\.([A-Za-z_][\w-]*)|\[(\d{1,9})\]|\["([^"\\]+)"\]|\['([^'\\]+)'\]|(\[\*\]|\.\*)/y;

/**
 * Reads a path such as `$.predictions[*].species`: members, elements and `*`, the part of JSONPath
 * (RFC 9535) that names places. The `$` may be left out.
 *
 * @returns undefined for anything else.
 */
export function parseJsonPath(text: string): JsonPathStep[] | undefined {
  const rest = text.startsWith("$") ? text.slice(1) : /^[[.]/.test(text) ? text : `.${text}`;
  const steps: JsonPathStep[] = [];
  STEP.lastIndex = 0;
  while (STEP.lastIndex < rest.length) {
    const match = STEP.exec(rest);
    if (!match) return undefined;
    const [, plain, index, double, single, all] = match;
    const name = plain ?? double ?? single;
    if (all !== undefined) steps.push({ kind: "all" });
    else if (index !== undefined) steps.push({ kind: "element", index: Number(index) });
    else steps.push({ kind: "member", name: name ?? "" });
  }
  return steps;
}

/** The values at a path, in their order; none when nothing is there. */
export function atJsonPath(value: unknown, path: readonly JsonPathStep[]): unknown[] {
  return path.reduce<unknown[]>(
    (found, step) => found.flatMap((each) => below(each, step)),
    [value],
  );
}

function below(value: unknown, step: JsonPathStep): unknown[] {
  if (typeof value !== "object" || value === null) return [];
  if (step.kind === "all")
    return Array.isArray(value) ? (value as unknown[]) : Object.values(value);
  const key = step.kind === "element" ? step.index : step.name;
  if (Array.isArray(value) !== (step.kind === "element")) return [];
  return Object.hasOwn(value, key) ? [(value as Record<string | number, unknown>)[key]] : [];
}
