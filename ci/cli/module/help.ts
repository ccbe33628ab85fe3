import { kebab } from "../names.js";
import { typeName, type Argument, type FunctionType, type ObjectType } from "./types.js";

/** Where a function that signs takes its key from. */
export const SIGNER = `COSIGN_PRIVATE_KEY and COSIGN_PASSWORD of the environment are the key and its password;
SIGSTORE_ID_TOKEN, or GitHub's permission id-token: write, is who signs without a key.
`;

/** What `functions` prints: one line a function, its type and its first line of documentation. */
export function functionTable(object: ObjectType): string {
  const rows = object.functions.map((fn) => [
    kebab(fn.name),
    typeName(fn.returns) || "-",
    firstLine(fn.description),
  ]);
  return table(rows);
}

/** Help of one function: what it does, its flags, and what can be called on its result. */
export function functionHelp(
  usage: string,
  fn: FunctionType,
  constructor: FunctionType | undefined,
  result: ObjectType | undefined,
): string {
  return [
    `${usage}\n`,
    ...(fn.description ? [`${fn.description.trim()}\n`] : []),
    ...(fn.args.length > 0 ? [`Flags:\n${flagTable(fn.args)}`] : []),
    ...(constructor?.args.length
      ? [`Flags of every function:\n${flagTable(constructor.args)}`]
      : []),
    ...(result ? [`Functions of ${result.name}:\n${functionTable(result)}`] : []),
  ].join("\n");
}

function flagTable(args: readonly Argument[]): string {
  return table(
    args.map((arg) => [
      `--${kebab(arg.name)}`,
      typeName(arg.type),
      [firstLine(arg.description), note(arg)].filter((text) => text !== "").join(" "),
    ]),
  );
}

function note(arg: Argument): string {
  if (arg.required) return "(required)";
  const plain = ["", "null", '""', "[]"];
  return plain.includes(arg.defaultValue) ? "" : `(default: ${arg.defaultValue})`;
}

function firstLine(text: string): string {
  return text.trim().split("\n")[0] ?? "";
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) => {
      const cells = row.map((cell, column) => cell.padEnd(widths[column] ?? 0));
      return `  ${cells.join("  ")}`.trimEnd() + "\n";
    })
    .join("");
}
