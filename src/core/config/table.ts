import * as z from "zod";
import { environmentNames, environmentName, type Leaf, leaves } from "./leaves.js";
import { configSchema } from "./schema.js";

/** The part of a JSON schema that the table shows. */
interface Node {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Node[];
  readonly items?: Node;
  readonly default?: unknown;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly required?: readonly string[];
}

/** JSON schema of `[tool.slipway]`, for editors and for the documentation. */
export function configJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(configSchema, { io: "input" });
}

/** The keys as Markdown, a table for each section, generated from the schema. */
export function configurationTable(): string {
  const root = configJsonSchema() as Node;
  const sections = [...new Set(leaves.map((leaf) => leaf.path[0] ?? ""))];
  return sections.map((section) => sectionTable(section, root)).join("\n");
}

function sectionTable(section: string, root: Node): string {
  const rows = leaves
    .filter((leaf) => leaf.path[0] === section)
    .map((leaf) => {
      const node = descend(root, leaf.path);
      return [
        code(leaf.path.slice(1).join(".")),
        type(node),
        node.default === undefined ? "" : code(JSON.stringify(node.default)),
        variables(leaf).map(code).join(" "),
        node.description ?? "",
      ];
    });
  const lines = [
    ["key", "type", "default", "variable", "what it does"],
    Array<string>(5).fill("---"),
    ...rows,
  ];
  const title = root.properties?.[section]?.description ?? "";
  const lists = leaves
    .filter((leaf) => leaf.path[0] === section)
    .map((leaf) => entryTable(leaf.path, descend(root, leaf.path).items ?? {}));
  return [
    `### \`[tool.slipway.${section}]\``,
    "",
    `${title}.`,
    "",
    ...lines.map(tableRow),
    "",
    ...lists.flat(),
  ].join("\n");
}

/** The keys of the tables in a list, such as the steps of a canary; nothing for other lists. */
function entryTable(path: readonly string[], { properties, required = [] }: Node): string[] {
  if (properties === undefined) return [];
  const rows = Object.entries(properties).map(([name, node]) => [
    code(name),
    type(node),
    required.includes(name)
      ? "required"
      : node.default === undefined
        ? ""
        : code(JSON.stringify(node.default)),
    node.description ?? "",
  ]);
  const lines = [["key", "type", "default", "what it does"], Array<string>(4).fill("---"), ...rows];
  return [`#### \`[[tool.slipway.${path.join(".")}]]\``, "", ...lines.map(tableRow), ""];
}

function tableRow(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

function variables(leaf: Leaf): string[] {
  const aliases = [...environmentNames].filter(([, other]) => other === leaf).map(([name]) => name);
  return aliases.sort(
    (a, b) => Number(b === environmentName(leaf.path)) - Number(a === environmentName(leaf.path)),
  );
}

function descend(root: Node, path: readonly string[]): Node {
  return path.reduce<Node>((node, name) => node.properties?.[name] ?? {}, root);
}

function type(node: Node): string {
  if (node.anyOf) return node.anyOf.map(type).join(" or ");
  if (node.const !== undefined) return code(JSON.stringify(node.const));
  if (node.enum) return node.enum.map((value) => code(JSON.stringify(value))).join(", ");
  if (node.type === "array")
    return `list of ${node.items?.type === "object" ? "tables" : "strings"}`;
  if (node.type === "object") return "table of strings";
  return node.type ?? "any";
}

function code(text: string): string {
  return `\`${text}\``;
}
