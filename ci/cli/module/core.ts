import type { Session } from "../session/open.js";
import type { Argument, FunctionType, ObjectType, TypeRef } from "./types.js";

interface RawType {
  kind: string;
  name: string | null;
  ofType?: RawType | null;
}

interface RawField {
  name: string;
  description: string | null;
  type: RawType;
  args: { name: string; description: string | null; defaultValue: string | null; type: RawType }[];
}

const REF = "kind name ofType { kind name ofType { kind name ofType { kind name } } }";

const KINDS: Readonly<Record<string, string>> = {
  String: "STRING_KIND",
  Int: "INTEGER_KIND",
  Float: "FLOAT_KIND",
  Boolean: "BOOLEAN_KIND",
  Void: "VOID_KIND",
};

/**
 * What an argument of type ID means. The schema says only `ID`; these are the arguments of
 * Dagger's API that a command line can give an address for.
 */
const MEANINGS: Readonly<Record<string, string>> = {
  "Container.withDirectory.source": "Directory",
  "Container.withDirectory.directory": "Directory",
  "Container.withMountedDirectory.source": "Directory",
  "Container.withRootfs.directory": "Directory",
  "Container.withFile.source": "File",
  "Container.withFiles.sources": "File",
  "Container.withMountedFile.source": "File",
  "Container.import.source": "File",
  "Container.withMountedCache.cache": "CacheVolume",
  "Container.withMountedSecret.source": "Secret",
  "Container.withSecretVariable.secret": "Secret",
  "Container.withRegistryAuth.secret": "Secret",
  "Container.withServiceBinding.service": "Service",
  "Directory.withDirectory.source": "Directory",
  "Directory.withDirectory.directory": "Directory",
  "Directory.diff.other": "Directory",
  "Directory.withFile.source": "File",
  "Directory.withFiles.sources": "File",
};

/** A type of Dagger's own API, for chains that go on from what a function returned. */
export async function coreObject(session: Session, name: string): Promise<ObjectType | undefined> {
  const { __type: type } = await session.query<{
    __type: { description: string | null; fields: RawField[] | null } | null;
  }>(
    `{ __type(name: ${JSON.stringify(name)}) { description fields { name description type { ${REF} } args { name description defaultValue type { ${REF} } } } } }`,
  );
  if (!type?.fields) return undefined;
  const functions = type.fields
    .filter(({ name: field }) => field !== "id")
    .map((field): FunctionType => ({
      name: field.name,
      description: field.description ?? "",
      returns: typeRef(field.type, ""),
      isField: false,
      args: field.args.map((arg) => argument(arg, `${name}.${field.name}.${arg.name}`)),
    }));
  return { name, description: type.description ?? "", functions };
}

function argument(raw: RawField["args"][number], place: string): Argument {
  const type = typeRef(raw.type, MEANINGS[place] ?? "");
  const defaultValue = raw.defaultValue ?? "";
  return {
    name: raw.name,
    description: raw.description ?? "",
    type,
    defaultValue,
    defaultPath: "",
    ignore: [],
    required: !type.optional && defaultValue === "",
  };
}

function typeRef(raw: RawType, meaning: string, optional = true): TypeRef {
  if (raw.kind === "NON_NULL" && raw.ofType) return typeRef(raw.ofType, meaning, false);
  if (raw.kind === "LIST" && raw.ofType) {
    return { kind: "LIST_KIND", name: "", optional, element: typeRef(raw.ofType, meaning) };
  }
  const name = raw.name ?? "";
  if (name === "ID" && meaning !== "") return { kind: "OBJECT_KIND", name: meaning, optional };
  if (raw.kind === "OBJECT" || raw.kind === "INTERFACE")
    return { kind: "OBJECT_KIND", name, optional };
  if (raw.kind === "ENUM") return { kind: "ENUM_KIND", name, optional };
  if (raw.kind === "INPUT_OBJECT") return { kind: "INPUT_KIND", name, optional };
  return { kind: KINDS[name] ?? "SCALAR_KIND", name, optional };
}
