import type { Node } from "../graph/node.js";
import type {
  ArgumentValue,
  EnumMemberValue,
  FieldValue,
  FunctionValue,
  SourceMapValue,
  TypeDefValue,
} from "../modules/types.js";
import type { Call, Fields } from "../session.js";

export const emptyTypeDef: TypeDefValue = {
  kind: "",
  optional: false,
  name: "",
  description: "",
  fields: [],
  functions: [],
  members: [],
};

interface Described {
  name: string;
  description?: string;
  sourceMap?: Node;
  deprecated?: string;
}

async function described(call: Call, args: Described) {
  const { name, description = "", sourceMap, deprecated } = args;
  return { name, description, deprecated, sourceMap: await load<SourceMapValue>(call, sourceMap) };
}

async function load<T>(call: Call, node: Node | undefined): Promise<T | undefined> {
  return node && call.session.force<T>(node, call.client, call.signal);
}

async function need<T>(call: Call, node: Node): Promise<T> {
  return call.session.force<T>(node, call.client, call.signal);
}

/** `REGULAR_TYPE`-like and short spellings of kinds mean the same. */
function kindName(kind: string): string {
  return kind.endsWith("_KIND") ? kind : `${kind}_KIND`;
}

const ofKind = (self: TypeDefValue, kind: string) => (self.kind === kind ? self : null);

export const typeDefFields: Fields<TypeDefValue> = {
  "kind: TypeDefKind!": (self) => self.kind,
  "optional: Boolean!": (self) => self.optional,
  "name: String!": (self) => self.name,
  "asObject: ObjectTypeDef": (self) => ofKind(self, "OBJECT_KIND"),
  "asInterface: InterfaceTypeDef": (self) => ofKind(self, "INTERFACE_KIND"),
  "asEnum: EnumTypeDef": (self) => ofKind(self, "ENUM_KIND"),
  "asScalar: ScalarTypeDef": (self) => ofKind(self, "SCALAR_KIND"),
  "asList: ListTypeDef": (self) => ofKind(self, "LIST_KIND"),
  "asInput: InputTypeDef": (self) => ofKind(self, "INPUT_KIND"),
  "withOptional(optional: Boolean!): TypeDef!": (self, args: { optional: boolean }) => ({
    ...self,
    optional: args.optional,
  }),
  "withKind(kind: TypeDefKind!): TypeDef!": (self, args: { kind: string }) => ({
    ...self,
    kind: kindName(args.kind),
  }),
  'withScalar(name: String!, description: String = ""): TypeDef!': (
    self,
    args: { name: string; description: string },
  ) => ({ ...self, kind: "SCALAR_KIND", ...args }),
  "withListOf(elementType: ID!): TypeDef!": async (self, args: { elementType: Node }, call) => ({
    ...self,
    kind: "LIST_KIND",
    element: await need<TypeDefValue>(call, args.elementType),
  }),
  'withObject(name: String!, description: String = "", sourceMap: ID, deprecated: String): TypeDef!':
    async (self, args: Described, call) => ({
      ...self,
      kind: "OBJECT_KIND",
      ...(await described(call, args)),
    }),
  'withInterface(name: String!, description: String = "", sourceMap: ID): TypeDef!': async (
    self,
    args: Described,
    call,
  ) => ({ ...self, kind: "INTERFACE_KIND", ...(await described(call, args)) }),
  'withEnum(name: String!, description: String = "", sourceMap: ID): TypeDef!': async (
    self,
    args: Described,
    call,
  ) => ({ ...self, kind: "ENUM_KIND", ...(await described(call, args)) }),
  'withEnumMember(name: String!, value: String = "", description: String = "", sourceMap: ID, deprecated: String): TypeDef!':
    async (self, args: Described & { value: string }, call) => ({
      ...self,
      members: [
        ...self.members,
        { ...(await described(call, args)), value: args.value || args.name },
      ],
    }),
  'withField(name: String!, typeDef: ID!, description: String = "", sourceMap: ID, deprecated: String): TypeDef!':
    async (self, args: Described & { typeDef: Node }, call) => ({
      ...self,
      fields: [
        ...self.fields,
        { ...(await described(call, args)), typeDef: await need<TypeDefValue>(call, args.typeDef) },
      ],
    }),
  "withFunction(function: ID!): TypeDef!": async (self, args: { function: Node }, call) => ({
    ...self,
    functions: [...self.functions, await need<FunctionValue>(call, args.function)],
  }),
  "withConstructor(function: ID!): TypeDef!": async (self, args: { function: Node }, call) => ({
    ...self,
    constructorFunction: await need<FunctionValue>(call, args.function),
  }),
};

export const functionFields: Fields<FunctionValue> = {
  "name: String!": (self) => self.name,
  "description: String!": (self) => self.description,
  "deprecated: String": (self) => self.deprecated ?? null,
  "returnType: TypeDef!": (self) => self.returnType,
  "args: [FunctionArg!]!": (self) => self.args,
  "sourceMap: SourceMap": (self) => self.sourceMap ?? null,
  "withDescription(description: String!): Function!": (self, args: { description: string }) => ({
    ...self,
    description: args.description,
  }),
  "withDeprecated(reason: String): Function!": (self, args: { reason?: string }) => ({
    ...self,
    deprecated: args.reason ?? "",
  }),
  "withSourceMap(sourceMap: ID!): Function!": async (self, args: { sourceMap: Node }, call) => ({
    ...self,
    sourceMap: await need<SourceMapValue>(call, args.sourceMap),
  }),
  "withCheck: Function!": (self) => ({ ...self, isCheck: true }),
  "withGenerator: Function!": (self) => self,
  "withUp: Function!": (self) => self,
  "withCachePolicy(policy: FunctionCachePolicy!, timeToLive: String): Function!": (
    self,
    args: { policy: string; timeToLive?: string },
  ) => ({ ...self, cachePolicy: args.policy, timeToLive: args.timeToLive }),
  'withArg(name: String!, typeDef: ID!, description: String = "", defaultValue: JSON, defaultPath: String = "", ignore: [String!] = [], sourceMap: ID, deprecated: String, defaultAddress: String = ""): Function!':
    async (
      self,
      args: Described & {
        typeDef: Node;
        defaultValue?: string;
        defaultPath: string;
        defaultAddress: string;
        ignore: string[];
      },
      call,
    ) => {
      const argument: ArgumentValue = {
        ...(await described(call, args)),
        typeDef: await need<TypeDefValue>(call, args.typeDef),
        defaultValue: args.defaultValue,
        defaultPath: args.defaultPath,
        defaultAddress: args.defaultAddress,
        ignore: args.ignore,
      };
      return { ...self, args: [...self.args, argument] };
    },
};

export const functionArgFields: Fields<ArgumentValue> = {
  "name: String!": (self) => self.name,
  "description: String!": (self) => self.description,
  "typeDef: TypeDef!": (self) => self.typeDef,
  "defaultValue: JSON!": (self) => self.defaultValue ?? "",
  "defaultPath: String!": (self) => self.defaultPath,
  "defaultAddress: String!": (self) => self.defaultAddress,
  "ignore: [String!]!": (self) => self.ignore,
  "deprecated: String": (self) => self.deprecated ?? null,
  "sourceMap: SourceMap": (self) => self.sourceMap ?? null,
};

const naming: Fields<TypeDefValue> = {
  "name: String!": (self) => self.name,
  "description: String!": (self) => self.description,
};

const located: Fields<TypeDefValue> = {
  ...naming,
  "sourceMap: SourceMap": (self) => self.sourceMap ?? null,
  "sourceModuleName: String!": (self) => self.sourceMap?.module ?? "",
};

export const objectTypeDefFields: Fields<TypeDefValue> = {
  ...located,
  "deprecated: String": (self) => self.deprecated ?? null,
  "constructor: Function": (self) => self.constructorFunction ?? null,
  "fields: [FieldTypeDef!]!": (self) => self.fields,
  "functions: [Function!]!": (self) => self.functions,
};

export const interfaceTypeDefFields: Fields<TypeDefValue> = {
  ...located,
  "functions: [Function!]!": (self) => self.functions,
};

export const enumTypeDefFields: Fields<TypeDefValue> = {
  ...located,
  "members: [EnumValueTypeDef!]!": (self) => self.members,
  "values: [EnumValueTypeDef!]!": (self) => self.members,
};

export const scalarTypeDefFields = naming;
export const inputTypeDefFields: Fields<TypeDefValue> = {
  "name: String!": (self) => self.name,
  "fields: [FieldTypeDef!]!": (self) => self.fields,
};
export const listTypeDefFields: Fields<TypeDefValue> = {
  "elementTypeDef: TypeDef!": (self) => self.element,
};

const member: Fields<FieldValue | EnumMemberValue> = {
  "name: String!": (self) => self.name,
  "description: String!": (self) => self.description,
  "deprecated: String": (self) => self.deprecated ?? null,
  "sourceMap: SourceMap": (self) => self.sourceMap ?? null,
};

export const fieldTypeDefFields: Fields<FieldValue> = {
  ...member,
  "typeDef: TypeDef!": (self) => self.typeDef,
};

export const enumValueTypeDefFields: Fields<EnumMemberValue> = {
  ...member,
  "value: String!": (self) => self.value,
};

export const sourceMapFields: Fields<SourceMapValue> = {
  "filename: String!": (self) => self.filename,
  "line: Int!": (self) => self.line,
  "column: Int!": (self) => self.column,
  "module: String!": (self) => self.module,
  "url: String!": (self) => self.url,
};
