import { usageError } from "../failure.js";
import { didYouMean, kebab, sameName } from "../names.js";
import { typeName, isObject, type Argument, type ModuleTypes, type TypeRef } from "./types.js";

/** What was given for an argument, before addresses have become objects of the engine. */
export type Value =
  /** Text of GraphQL. */
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "list"; readonly items: readonly Value[] }
  /** An object by its address: a path, an image, `env://NAME`… */
  | {
      readonly kind: "address";
      readonly type: string;
      readonly address: string;
      /** Patterns that a directory is taken without. */
      readonly ignore: readonly string[];
    };

/** Reads one flag's text as what the argument wants. Throws CliError (2) that names the flag. */
function readValue(arg: Argument, text: string, types: ModuleTypes): Value {
  return read(arg, arg.type, text, types);
}

/** The texts of all of a flag's appearances: the last one counts, but a list takes them all. */
export function readValues(arg: Argument, texts: readonly string[], types: ModuleTypes): Value {
  const { type } = arg;
  const { element } = type;
  if (type.kind !== "LIST_KIND" || !element) return readValue(arg, texts.at(-1) ?? "", types);
  const items = texts.flatMap(splitList).map((text) => read(arg, element, text, types));
  return { kind: "list", items };
}

function read(arg: Argument, type: TypeRef, text: string, types: ModuleTypes): Value {
  const wrong = (expected: string) =>
    usageError(`--${kebab(arg.name)}: expected ${expected}, got ${JSON.stringify(text)}.`);
  if (isObject(type))
    return { kind: "address", type: type.name, address: text, ignore: arg.ignore };
  switch (type.kind) {
    case "INTEGER_KIND":
      if (!/^[+-]?\d+$/.test(text)) throw wrong("a whole number");
      return literal(String(Number(text)));
    case "FLOAT_KIND":
      if (text.trim() === "" || !Number.isFinite(Number(text))) throw wrong("a number");
      return literal(String(Number(text)));
    case "BOOLEAN_KIND":
      if (text !== "true" && text !== "false") throw wrong("true or false");
      return literal(text);
    case "ENUM_KIND": {
      const values = types.enumeration(type.name)?.values ?? [];
      const found = values.find((value) => sameName(value, text));
      if (values.length === 0) return literal(text);
      if (!found)
        throw usageError(
          `${wrong(`one of ${values.join(", ")}`).message}${didYouMean(text, values)}`,
        );
      return literal(found);
    }
    case "INPUT_KIND":
      return literal(
        type.name === "PortForward" ? portForward(text, wrong) : inputObject(text, wrong),
      );
    case "STRING_KIND":
    case "SCALAR_KIND":
      return literal(JSON.stringify(text));
    default:
      throw usageError(
        `--${kebab(arg.name)}: a ${typeName(type)} cannot be given on the command line.`,
      );
  }
}

function literal(text: string): Value {
  return { kind: "literal", text };
}

/** `8080:80`, `80`, `53:53/udp` */
function portForward(text: string, wrong: (expected: string) => Error): string {
  const [, frontend, backend, protocol] = /^(?:(\d+):)?(\d+)(?:\/(tcp|udp))?$/i.exec(text) ?? [];
  if (!backend) throw wrong("ports such as 8080:80 or 53:53/udp");
  return `{ ${frontend ? `frontend: ${frontend}, ` : ""}backend: ${backend}, protocol: ${(protocol ?? "tcp").toUpperCase()} }`;
}

function inputObject(text: string, wrong: (expected: string) => Error): string {
  try {
    const fields = Object.entries(JSON.parse(text) as Record<string, unknown>);
    return `{ ${fields.map(([name, value]) => `${name}: ${JSON.stringify(value)}`).join(", ")} }`;
  } catch {
    throw wrong("an object in JSON");
  }
}

/** Splits `a,b,"c,d"` at commas that are not inside quotes or brackets; a JSON list is one too. */
export function splitList(text: string): string[] {
  if (text === "") return [];
  const items: string[] = [];
  let item = "";
  let depth = 0;
  let quoted = false;
  for (const letter of text) {
    if (letter === '"') quoted = !quoted;
    if (!quoted && "[{(".includes(letter)) depth++;
    if (!quoted && "]})".includes(letter)) depth--;
    if (letter === "," && depth <= 0 && !quoted) {
      items.push(item);
      item = "";
    } else {
      item += letter;
    }
  }
  return [...items, item].map((part) => /^"([^"]*)"$/.exec(part)?.[1] ?? part);
}
