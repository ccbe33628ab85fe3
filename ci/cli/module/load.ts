import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { CliError, EXIT, usageError } from "../failure.js";
import { sameName } from "../names.js";
import type { Session } from "../session/open.js";
import { QueryError } from "../session/query.js";
import type {
  Argument,
  EnumType,
  FunctionType,
  ModuleTypes,
  ObjectType,
  TypeRef,
} from "./types.js";

/** The module that this command belongs to: the folder of its dagger.json. */
export const OWN_MODULE = fileURLToPath(new URL("../../../", import.meta.url));

/** The folder of the module that is meant, where it is one of this machine. */
export function folderOf({ mod }: { readonly mod: string | undefined }): string | undefined {
  if (mod === undefined) return resolve(OWN_MODULE);
  return isFolder(mod) ? resolve(mod) : undefined;
}

function isFolder(reference: string): boolean {
  return /^(\.{0,2}\/|\.{1,2}$)/.test(reference);
}

const TYPE =
  "kind optional asObject { name } asEnum { name } asScalar { name } asInterface { name } asInput { name }";
const TYPE_REF = `${TYPE} asList { elementTypeDef { ${TYPE} asList { elementTypeDef { ${TYPE} } } } }`;
const ARGS = `args { name description defaultValue defaultPath ignore typeDef { ${TYPE_REF} } }`;
const FUNCTION = `name description ${ARGS} returnType { ${TYPE_REF} }`;
const MODULE = `
  name description
  objects { asObject { name description
    constructor { ${ARGS} }
    fields { name description typeDef { ${TYPE_REF} } }
    functions { ${FUNCTION} } } }
  interfaces { asInterface { name description functions { ${FUNCTION} } } }
  enums { asEnum { name members { name value } } }`;

type Named = { name: string } | null;

interface RawType {
  kind: string;
  optional: boolean;
  asObject: Named;
  asEnum: Named;
  asScalar: Named;
  asInterface: Named;
  asInput: Named;
  asList?: { elementTypeDef: RawType } | null;
}

interface RawArgument {
  name: string;
  description: string;
  defaultValue: string | null;
  defaultPath: string;
  ignore: string[];
  typeDef: RawType;
}

interface RawFunction {
  name: string;
  description: string;
  args: RawArgument[];
  returnType: RawType;
}

interface RawObject {
  name: string;
  description: string;
  constructor: { args: RawArgument[] } | null;
  fields: { name: string; description: string; typeDef: RawType }[];
  functions: RawFunction[];
}

interface RawModule {
  name: string;
  description: string;
  objects: { asObject: RawObject }[];
  interfaces: { asInterface: { name: string; description: string; functions: RawFunction[] } }[];
  enums: { asEnum: { name: string; members: { name: string; value: string }[] } }[];
}

/**
 * Loads a module into the session: from here on its functions are part of the API.
 *
 * @param reference Folder of its dagger.json, or what Dagger's engine takes as an address.
 * @throws CliError (2) when there is no module, (3) when it does not load.
 */
export async function loadModule(session: Session, reference: string): Promise<ModuleTypes> {
  const address = isFolder(reference) ? resolve(reference) : reference;
  const source = `moduleSource(refString: ${JSON.stringify(address)})`;
  let raw: RawModule;
  try {
    const loaded = await session.query<{ moduleSource: { asModule: RawModule } }>(
      `{ ${source} { asModule { serve ${MODULE} } } }`,
    );
    raw = loaded.moduleSource.asModule;
  } catch (error) {
    if (!(error instanceof QueryError)) throw error;
    const missing = /no module found|does not exist|dagger\.json/.test(error.message);
    throw new CliError(`module ${reference}: ${error.message}`, missing ? EXIT.usage : EXIT.broken);
  }
  return types(raw);
}

function types(raw: RawModule): ModuleTypes {
  const objects = new Map<string, ObjectType>();
  for (const { asObject } of raw.objects) objects.set(asObject.name, object(asObject));
  for (const { asInterface } of raw.interfaces) {
    const { name, description, functions } = asInterface;
    objects.set(name, { name, description, functions: functions.map(fn) });
  }
  const enums = new Map<string, EnumType>(
    raw.enums.map(({ asEnum: { name, members } }) => [
      name,
      { name, values: members.map((member) => member.name) },
    ]),
  );
  const main = raw.objects.find(({ asObject }) => sameName(asObject.name, raw.name))?.asObject;
  const mainType = main && objects.get(main.name);
  if (!mainType)
    throw usageError(`module ${raw.name} has no object ${raw.name}: there is nothing to call`);
  return {
    name: raw.name,
    description: raw.description || mainType.description,
    main: mainType,
    root: {
      name: main.name.charAt(0).toLowerCase() + main.name.slice(1),
      description: mainType.description,
      // Without a constructor of its own, an object inherits the name from JavaScript's Object.
      args: Array.isArray(main.constructor?.args) ? main.constructor.args.map(argument) : [],
      returns: { kind: "OBJECT_KIND", name: main.name, optional: false },
      isField: false,
    },
    object: (name) => objects.get(name),
    enumeration: (name) => enums.get(name),
  };
}

function object({ name, description, fields, functions }: RawObject): ObjectType {
  return {
    name,
    description,
    functions: [
      ...functions.map(fn),
      ...fields.map((field) => ({
        name: field.name,
        description: field.description,
        args: [],
        returns: typeRef(field.typeDef),
        isField: true,
      })),
    ],
  };
}

function fn({ name, description, args, returnType }: RawFunction): FunctionType {
  return {
    name,
    description,
    args: args.map(argument),
    returns: typeRef(returnType),
    isField: false,
  };
}

function argument(raw: RawArgument): Argument {
  const type = typeRef(raw.typeDef);
  const defaultValue = raw.defaultValue ?? "";
  return {
    name: raw.name,
    description: raw.description,
    type,
    defaultValue,
    defaultPath: raw.defaultPath,
    ignore: raw.ignore,
    required: !type.optional && defaultValue === "" && raw.defaultPath === "",
  };
}

function typeRef(raw: RawType): TypeRef {
  const named = raw.asObject ?? raw.asEnum ?? raw.asScalar ?? raw.asInterface ?? raw.asInput;
  return {
    kind: raw.kind,
    optional: raw.optional,
    name: named?.name ?? "",
    ...(raw.asList && { element: typeRef(raw.asList.elementTypeDef) }),
  };
}
