import type { Args, Node } from "../graph/node.js";
import type { FunctionValue, ModuleValue, TypeDefValue } from "../modules/types.js";
import type { Asker, Fields, Identities } from "../session.js";
import { emptyContainer } from "./container/value.js";
import { newFileValue } from "./file.js";
import { host } from "./host.js";
import { ready } from "./lazy.js";
import { currentCall, moduleSource } from "./module.js";
import { platformOf, platformText } from "./platform.js";
import { secretByUri } from "./secret.js";
import { scratch } from "./trees.js";
import { emptyTypeDef } from "./typedef.js";
import type { CacheVolumeValue, DirectoryValue, SecretValue } from "./values.js";

/** The version of Dagger whose API the embedded engine speaks. */
const API_VERSION = "v0.21.8";

export const queryFields: Fields<undefined> = {
  "version: String!": () => API_VERSION,
  "defaultPlatform: Platform!": (_self, _args: object, call) =>
    platformText(call.session.engine.platform),
  "node(id: ID!): Node": (_self, args: { id: Node }) => args.id,
  "container(platform: Platform): Container!": (_self, args: { platform?: string }, call) =>
    emptyContainer(platformOf(args.platform, call)),
  "directory: Directory!": (): DirectoryValue => ({ tree: ready(scratch) }),
  "file(name: String!, contents: String!, permissions: Int = 420): File!": (
    _self,
    args: { name: string; contents: string; permissions: number },
    call,
  ) => newFileValue(call, args.name, args.contents, args.permissions),
  "host: Host!": (_self, _args: object, call) => host(call),
  "cacheVolume(key: String!, source: ID, sharing: CacheSharingMode, owner: String): CacheVolume!": (
    _self,
    args: CacheVolumeValue,
  ) => args,
  "secret(uri: String!, cacheKey: String): Secret!": (_self, args: { uri: string }, call) =>
    secretByUri(call, args.uri),
  "setSecret(name: String!, plaintext: String!): Secret!": (
    _self,
    args: { name: string; plaintext: string },
  ): SecretValue => {
    const plaintext = Buffer.from(args.plaintext);
    return { name: args.name, uri: "", plaintext: () => Promise.resolve(plaintext) };
  },
  "error(message: String!): Error!": (_self, args: { message: string }) => ({
    message: args.message,
    values: [],
  }),
  "typeDef: TypeDef!": () => emptyTypeDef,
  "function(name: String!, returnType: ID!): Function!": async (
    _self,
    args: { name: string; returnType: Node },
    call,
  ): Promise<FunctionValue> => ({
    name: args.name,
    description: "",
    returnType: await call.session.force<TypeDefValue>(args.returnType, call.client, call.signal),
    args: [],
    cachePolicy: "Default",
    isCheck: false,
  }),
  "sourceMap(filename: String!, line: Int!, column: Int!): SourceMap!": (
    _self,
    args: { filename: string; line: number; column: number },
    call,
  ) => ({ ...args, module: call.client.call?.moduleName ?? "", url: "" }),
  "module: Module!": (): ModuleValue => ({
    name: "",
    description: "",
    objects: [],
    enums: [],
    interfaces: [],
  }),
  'moduleSource(refString: String!, refPin: String = "", disableFindUp: Boolean = false): ModuleSource!':
    (_self, args: { refString: string }, call) => moduleSource(call, args.refString),
  "currentModule: CurrentModule!": (_self, _args: object, call) => currentCall(call),
  "currentFunctionCall: FunctionCall!": (_self, _args: object, call) => currentCall(call),
  "currentTypeDefs(returnAllTypes: Boolean = false, hideCore: Boolean): [TypeDef!]!": (
    _self,
    _args: object,
    call,
  ) =>
    call.session.served.flatMap(({ objects, enums, interfaces }) => [
      ...objects,
      ...enums,
      ...interfaces,
    ]),
};

/** Fields whose identity is not their arguments alone: who asks matters, or the text must stay secret. */
export const queryIdentities: Identities = {
  currentModule: perClient,
  currentFunctionCall: perClient,
  host: perClient,
  setSecret: (args, { session }) =>
    `setSecret ${String(args.name)} ${session.engine.secretIdentity(String(args.plaintext))}`,
};

function perClient(_args: Args, { client }: Asker): string {
  return client.token;
}
