/** A type of the API, as far as the command line has to know it. */
export interface TypeRef {
  /** `STRING_KIND`, `OBJECT_KIND`, `LIST_KIND`… as Dagger names them. */
  readonly kind: string;
  /** Of objects, enumerations and scalars. */
  readonly name: string;
  readonly optional: boolean;
  readonly element?: TypeRef;
}

export interface Argument {
  readonly name: string;
  readonly description: string;
  readonly type: TypeRef;
  readonly required: boolean;
  /** JSON. */
  readonly defaultValue: string;
  readonly defaultPath: string;
  /** Patterns that a directory given here is taken without. */
  readonly ignore: readonly string[];
}

export interface FunctionType {
  readonly name: string;
  readonly description: string;
  readonly args: readonly Argument[];
  readonly returns: TypeRef;
  /** A plain value of its object: no work to get it. */
  readonly isField: boolean;
}

export interface ObjectType {
  readonly name: string;
  readonly description: string;
  readonly functions: readonly FunctionType[];
}

export interface EnumType {
  readonly name: string;
  readonly values: readonly string[];
}

/** A module with its types. */
export interface ModuleTypes {
  readonly name: string;
  readonly description: string;
  /** The field of Query that constructs it, with the constructor's arguments. */
  readonly root: FunctionType;
  readonly main: ObjectType;
  object(name: string): ObjectType | undefined;
  enumeration(name: string): EnumType | undefined;
}

/** `[String!]!` as a person reads it: `strings`. */
export function typeName(type: TypeRef): string {
  switch (type.kind) {
    case "LIST_KIND":
      return type.element ? `${typeName(type.element)}s` : "list";
    case "STRING_KIND":
      return "string";
    case "INTEGER_KIND":
      return "int";
    case "FLOAT_KIND":
      return "float";
    case "BOOLEAN_KIND":
      return "bool";
    case "VOID_KIND":
      return "";
    default:
      return type.name;
  }
}

export function isObject(type: TypeRef): boolean {
  return type.kind === "OBJECT_KIND" || type.kind === "INTERFACE_KIND";
}
