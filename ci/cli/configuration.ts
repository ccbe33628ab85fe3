import { configJsonSchema } from "../../src/core/config/table.js";

/** What of a JSON schema a comment shows. */
interface Node {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Node>>;
}

const WIDTH = 98;

/** `[tool.slipway]` with every key as a comment: its meaning and its default. */
export function configurationComment(): string {
  const { properties = {} } = configJsonSchema() as Node;
  const sections = Object.entries(properties).flatMap(([name, node]) => section([name], node));
  return `[tool.slipway]\n# Every key is optional; each comment shows its default. Flags and SLIPWAY_* variables win.\n${sections.join("")}`;
}

function section(path: readonly string[], node: Node): string[] {
  const entries = Object.entries(node.properties ?? {});
  const below = entries.filter(([, child]) => child.properties !== undefined);
  const keys = entries
    .filter(([, child]) => child.properties === undefined)
    .map(([name, child]) => key(name, child));
  const title = node.description === undefined ? "" : `# ${node.description}\n`;
  const head = `\n${title}# [tool.slipway.${path.join(".")}]\n${keys.join("")}`;
  return [head, ...below.flatMap(([name, child]) => section([...path, name], child))];
}

function key(name: string, { description = "", default: value }: Node): string {
  const example = value === undefined ? "# (unset)" : toml(value);
  return `${wrap(description)}# ${name} = ${example}\n`;
}

/** A value as TOML writes it; JSON does for text, numbers and lists. */
function toml(value: unknown): string {
  if (value !== null && typeof value === "object" && !Array.isArray(value)) {
    const pairs = Object.entries(value).map(
      ([name, item]) => `${JSON.stringify(name)} = ${toml(item)}`,
    );
    return pairs.length > 0 ? `{ ${pairs.join(", ")} }` : "{}";
  }
  return JSON.stringify(value);
}

function wrap(text: string): string {
  const lines = [""];
  for (const word of text.split(/\s+/)) {
    const last = lines.length - 1;
    const line = `${lines[last] ?? ""} ${word}`;
    if (line.length > WIDTH && lines[last] !== "") lines.push(` ${word}`);
    else lines[last] = line;
  }
  return text === "" ? "" : lines.map((line) => `#  ${line}\n`).join("");
}
