import * as z from "zod";

/**
 * Reads the text of a variable or flag as whatever its key takes: text, a number, true / false, a
 * comma list, or JSON. Text that fits none comes back as it is, for the schema to refuse.
 */
export function coerce(text: string, schema: z.core.$ZodType): unknown {
  const all = readings(text);
  const issues = (value: unknown) => z.safeParse(schema, value).error?.issues ?? [];
  return (
    all.find((value) => issues(value).length === 0) ??
    // Of the right type but out of range: the message should speak of the range.
    all.find(
      (value) => !issues(value).some((issue) => /^invalid_(type|union)$/.test(issue.code)),
    ) ??
    text
  );
}

function readings(text: string): unknown[] {
  const trimmed = text.trim();
  const values: unknown[] = [text];
  if (/^-?\d+(\.\d+)?$/.test(trimmed)) values.push(Number(trimmed));
  if (/^(true|yes|on|1)$/i.test(trimmed)) values.push(true);
  if (/^(false|no|off|0)$/i.test(trimmed)) values.push(false);
  if (/^[[{]/.test(trimmed)) values.push(...json(trimmed));
  const entries = trimmed === "" ? [] : trimmed.split(",").map((entry) => entry.trim());
  values.push(entries);
  if (entries.every((entry) => entry.includes("=")))
    values.push(Object.fromEntries(entries.map((entry) => splitOnce(entry, "="))));
  return values;
}

/** `a=b=c` → `["a", "b=c"]`; without the separator the second part is empty. */
export function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + separator.length)];
}

function json(text: string): unknown[] {
  try {
    return [JSON.parse(text)];
  } catch {
    return [];
  }
}
