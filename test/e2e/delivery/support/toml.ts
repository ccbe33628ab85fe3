/** A value as TOML writes it on one line. */
export type Value = string | number | boolean | readonly Value[] | Table;

export interface Table {
  readonly [key: string]: Value | undefined;
}

/** `{ weight = 10, pause = 2 }` and the like; keys without a value are left out. */
function toml(value: Value): string {
  if (Array.isArray(value)) return `[${value.map((each: Value) => toml(each)).join(", ")}]`;
  if (typeof value !== "object") return JSON.stringify(value);
  const entries = Object.entries(value as Table).flatMap(([key, each]) =>
    each === undefined ? [] : [`${JSON.stringify(key)} = ${toml(each)}`],
  );
  return `{ ${entries.join(", ")} }`;
}

/** Tables under `[tool.slipway]`, one a line. */
export function slipwayTables(tables: Table): string {
  const lines = Object.entries(tables).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key} = ${toml(value)}`],
  );
  return `[tool.slipway]\n${lines.join("\n")}\n`;
}
