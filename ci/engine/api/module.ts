import type { FunctionCall } from "../client.js";
import { EngineError } from "../graph/errors.js";
import type { Node } from "../graph/node.js";
import { loadModule, readManifest, serve } from "../modules/module.js";
import type { ModuleSourceValue, ModuleValue, TypeDefValue } from "../modules/types.js";
import type { Call, Fields } from "../session.js";

export interface ErrorValue {
  readonly message: string;
  readonly values: readonly { readonly name: string; readonly value: string }[];
}

async function typeDef(call: Call, node: Node): Promise<TypeDefValue> {
  return call.session.force<TypeDefValue>(node, call.client, call.signal);
}

export const moduleFields: Fields<ModuleValue> = {
  "name: String!": (self) => self.name,
  "description: String!": (self) => self.description,
  "objects: [TypeDef!]!": (self) => self.objects,
  "enums: [TypeDef!]!": (self) => self.enums,
  "interfaces: [TypeDef!]!": (self) => self.interfaces,
  "dependencies: [Module!]!": () => [],
  "source: ModuleSource": (self) => self.source ?? null,
  "withDescription(description: String!): Module!": (self, args: { description: string }) => ({
    ...self,
    description: args.description,
  }),
  "withObject(object: ID!): Module!": async (self, args: { object: Node }, call) => ({
    ...self,
    objects: [...self.objects, await typeDef(call, args.object)],
  }),
  "withEnum(enum: ID!): Module!": async (self, args: { enum: Node }, call) => ({
    ...self,
    enums: [...self.enums, await typeDef(call, args.enum)],
  }),
  "withInterface(iface: ID!): Module!": async (self, args: { iface: Node }, call) => ({
    ...self,
    interfaces: [...self.interfaces, await typeDef(call, args.iface)],
  }),
  "serve(includeDependencies: Boolean): Void": (self, _args: object, call) => {
    serve(call.session, self, call.node.recipe.parent);
    return null;
  },
  "sync: ID!": (_self, _args: object, call) => call.node.recipe.parent?.id,
};

export const moduleSourceFields: Fields<ModuleSourceValue> = {
  "moduleName: String!": (self) => self.name,
  "engineVersion: String!": (self) => self.engineVersion,
  "kind: ModuleSourceKind!": () => "LOCAL_SOURCE",
  "digest: String!": (self) => self.digest,
  "localContextDirectoryPath: String!": (self) => self.contextFolder,
  "configExists: Boolean!": () => true,
  "asString: String!": (self) => self.root,
  "asModule: Module!": (self, _args: object, call) => loadModule(call, self),
  "sync: ID!": (_self, _args: object, call) => call.node.recipe.parent?.id,
};

export function moduleSource(call: Call, refString: string): Promise<ModuleSourceValue> {
  return readManifest(call, refString);
}

export const currentModuleFields: Fields<FunctionCall> = {
  "name: String!": (self) => self.moduleName,
};

export const functionCallFields: Fields<FunctionCall> = {
  "name: String!": (self) => self.name,
  "parentName: String!": (self) => self.parentName,
  "parent: JSON!": (self) => self.parent,
  "inputArgs: [FunctionCallArgValue!]!": (self) => self.inputArgs,
  "returnValue(value: JSON!): Void": (self, args: { value: string }) => {
    self.returned(args.value);
    return null;
  },
  "returnError(error: ID!): Void": async (self, args: { error: Node }, call) => {
    const error = await call.session.force<ErrorValue>(args.error, call.client, call.signal);
    self.failed(new FunctionError(error));
    return null;
  },
};

/** What a function threw, with the extensions it wants its caller to see. */
class FunctionError extends EngineError {
  readonly extensions: Record<string, unknown>;

  constructor({ message, values }: ErrorValue) {
    super(message);
    this.extensions = Object.fromEntries(
      values.map(({ name, value }) => [name, JSON.parse(value) as unknown]),
    );
  }
}

export function currentCall(call: Call): FunctionCall {
  if (call.client.call) return call.client.call;
  throw new EngineError(
    "no current module for direct API caller: this is a field for functions of a module",
  );
}

export const errorFields: Fields<ErrorValue> = {
  "message: String!": (self) => self.message,
  "values: [ErrorValue!]!": (self) => self.values,
  "withValue(name: String!, value: JSON!): Error!": (
    self,
    args: { name: string; value: string },
  ) => ({ ...self, values: [...self.values, args] }),
};
