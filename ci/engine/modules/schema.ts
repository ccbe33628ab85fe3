import { randomUUID } from "node:crypto";
import { loaders } from "../api/loaders.js";
import type { Fields, Identities, ModuleSchema, TypeTable } from "../session.js";
import { callFunction, construct, fieldOf, type ObjectState } from "./call.js";
import { pascal } from "./names.js";
import type { FunctionValue, ModuleSourceValue, ModuleValue, TypeDefValue } from "./types.js";

const SCALARS: Readonly<Record<string, string>> = {
  STRING_KIND: "String",
  INTEGER_KIND: "Int",
  FLOAT_KIND: "Float",
  BOOLEAN_KIND: "Boolean",
  VOID_KIND: "Void",
};

export function moduleTables(module: ModuleValue, source: ModuleSourceValue): ModuleSchema {
  const main = pascal(module.name);
  const tables = module.objects.map((object) => objectTable(module, source, object));
  const mainObject = module.objects.find(({ name }) => name === main);
  const constructor = mainObject?.constructorFunction;
  const field = main.charAt(0).toLowerCase() + main.slice(1);
  const query: Fields<never> = {
    [`${field}${parameters(constructor?.args ?? [])}: ${main}!`]: (_self, args, call) =>
      construct(call, { module, source, object: main }, args),
  };
  return {
    tables: [{ name: "Query", fields: { ...query, ...loaders(tables, "own") } }, ...tables],
    inputs: [
      ...tables.map(({ name }) => `scalar ${name}ID`),
      ...module.enums.map(
        ({ name, members }) => `enum ${name} { ${members.map((member) => member.name).join(" ")} }`,
      ),
    ].join("\n"),
  };
}

function objectTable(
  module: ModuleValue,
  source: ModuleSourceValue,
  object: TypeDefValue,
): TypeTable {
  const fields: Record<string, Fields<never>[string]> = {};
  const identities: Record<string, Identities[string]> = {};
  for (const { name, typeDef } of object.fields) {
    fields[`${camel(name)}: ${sdlType(typeDef)}`] = (self: ObjectState, _args, call) =>
      fieldOf(call, self, name, typeDef);
  }
  for (const fn of object.functions) {
    fields[`${camel(fn.name)}${parameters(fn.args)}: ${sdlType(fn.returnType)}`] = (
      self: ObjectState,
      args,
      call,
    ) => callFunction(call, { module, source, object: object.name, fn }, self, args);
    // A function that is never cached runs again each time somebody names it.
    if (fn.cachePolicy === "Never") identities[camel(fn.name)] = () => randomUUID();
  }
  return { name: object.name, fields, identities };
}

function parameters(args: FunctionValue["args"]): string {
  if (args.length === 0) return "";
  const list = args.map((arg) => {
    const optional =
      arg.typeDef.optional ||
      arg.defaultPath !== "" ||
      arg.defaultAddress !== "" ||
      arg.defaultValue !== undefined;
    const type = inputType(arg.typeDef).replace(/!$/, optional ? "" : "!");
    const preset =
      arg.defaultValue === undefined ? "" : ` = ${literal(arg.defaultValue, arg.typeDef)}`;
    return `${camel(arg.name)}: ${type}${preset}`;
  });
  return `(${list.join(", ")})`;
}

/** JSON as a GraphQL literal: only enumerations are written differently. */
function literal(json: string, type: TypeDefValue): string {
  return type.kind === "ENUM_KIND" ? (JSON.parse(json) as string) : json;
}

function sdlType(type: TypeDefValue): string {
  const mark = type.optional || type.kind === "VOID_KIND" ? "" : "!";
  if (type.kind === "LIST_KIND" && type.element) return `[${sdlType(type.element)}]${mark}`;
  return `${SCALARS[type.kind] ?? type.name}${mark}`;
}

function inputType(type: TypeDefValue): string {
  const mark = type.optional ? "" : "!";
  if (type.kind === "LIST_KIND" && type.element) return `[${inputType(type.element)}]${mark}`;
  const isObject = type.kind === "OBJECT_KIND" || type.kind === "INTERFACE_KIND";
  return `${isObject ? "ID" : (SCALARS[type.kind] ?? type.name)}${mark}`;
}

/** `snake_case` and `PascalCase` names become `camelCase`, as in Dagger's API. */
function camel(name: string): string {
  const joined = name.replace(/[_-]+([A-Za-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  return joined.charAt(0).toLowerCase() + joined.slice(1);
}
