import {
  buildASTSchema,
  getNamedType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  parse,
  type DocumentNode,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLOutputType,
  type GraphQLSchema,
} from "graphql";
import type { Client } from "../client.js";
import { digestOf } from "../graph/digest.js";
import { Node } from "../graph/node.js";
import type { Call, Operation, Session, TypeTable } from "../session.js";

/** What a GraphQL request carries to the resolvers. */
export interface RequestContext {
  readonly client: Client;
  readonly signal: AbortSignal;
}

/** Builds the executable schema of a session: tables of the same name are one type. */
export function assemble(
  session: Session,
  inputs: readonly string[],
  tables: readonly TypeTable[],
): GraphQLSchema {
  const signatures = new Map<string, string[]>();
  for (const { name, fields } of tables) {
    signatures.set(name, [...(signatures.get(name) ?? ["id: ID!"]), ...Object.keys(fields)]);
  }
  const sdl = [
    ...inputs,
    "interface Node { id: ID! }",
    ...[...signatures].map(
      ([name, fields]) => `type ${name} implements Node { ${fields.join("\n")} }`,
    ),
  ];
  const schema = buildASTSchema(
    { kind: Kind.DOCUMENT, definitions: sdl.flatMap(definitions) },
    { assumeValidSDL: true },
  );
  const nodeType = schema.getType("Node");
  if (nodeType && "resolveType" in nodeType) {
    nodeType.resolveType = (value: unknown) => (value as Node).type;
  }
  for (const table of tables) {
    const type = schema.getType(table.name);
    if (!isObjectType(type)) continue;
    const fields = type.getFields();
    for (const [signature, operation] of Object.entries(table.fields)) {
      const name = fieldName(signature);
      const field = fields[name];
      if (!field) continue;
      session.operations.set(`${table.name}.${name}`, operation as never);
      field.resolve = resolver(session, field, table);
    }
    const id = fields.id;
    if (id) id.resolve = (node: Node | undefined) => node?.id ?? "Query@";
  }
  return schema;
}

const parsed = new Map<string, DocumentNode["definitions"]>();

/** What SDL defines. Most of a schema is the same when it is made again, with a module's types. */
function definitions(sdl: string): DocumentNode["definitions"] {
  let known = parsed.get(sdl);
  if (!known) {
    // A module may define nothing but objects.
    known = sdl.trim() === "" ? [] : parse(sdl, { noLocation: true }).definitions;
    parsed.set(sdl, known);
  }
  return known;
}

/** `withExec(args: [String!]!): Container!` → `withExec`. */
export function fieldName(signature: string): string {
  return signature.slice(0, signature.search(/[(:]/)).trim();
}

function resolver(session: Session, field: GraphQLField<unknown, unknown>, table: TypeTable) {
  const type = field.type;
  const target = getNamedType(type).name;
  const isLazy = isNonNullType(type) && isObjectType(type.ofType);
  const ofObjects = isObjectType(getNamedType(type));
  const special = table.identities?.[field.name];
  const isPlain = !isLazy && !ofObjects && !special && field.args.length === 0;
  return (source: unknown, rawArgs: Record<string, unknown>, context: RequestContext): unknown => {
    const parent = source instanceof Node ? source : undefined;
    const args = decode(session, field.args, rawArgs);
    const { client, signal } = context;
    const place = (): Node => {
      const recipe = { type: target, field: field.name, parent, args };
      const identity = special?.(args, { session, client });
      return session.intern(
        identity === undefined
          ? new Node(recipe)
          : new Node(recipe, digestOf(table.name, field.name, parent?.digest, identity)),
      );
    };
    // An object is a place in the graph: naming it runs nothing.
    if (isLazy) return place();
    const operation = session.operation(parent?.type ?? "Query", field.name);
    const known = parent && session.known(parent);
    // A module's description has thousands of such fields, most of which ask for no place.
    if (isPlain && known !== undefined)
      return operation(known, args as never, {
        ...{ session, client, signal },
        get node() {
          return place();
        },
      });
    const node = place();
    return answer({ session, client, node, signal }, { parent, known }, operation, args, (value) =>
      ofObjects ? toNodes(session, node, value, type) : value,
    );
  };
}

async function answer(
  call: Call,
  self: { readonly parent: Node | undefined; readonly known: unknown },
  operation: Operation,
  args: Record<string, unknown>,
  finish: (value: unknown) => unknown,
): Promise<unknown> {
  const { parent, known } = self;
  const forced = parent && known === undefined;
  const object = forced ? await call.session.force(parent, call.client, call.signal) : known;
  return finish(await operation(object, args as never, call));
}

/** Values of object type become nodes with these values; nodes stay as they are. */
function toNodes(session: Session, node: Node, value: unknown, type: GraphQLOutputType): unknown {
  if (value === null || value === undefined || value instanceof Node) return value;
  const target = getNamedType(type).name;
  const asList = isListType(isNonNullType(type) ? type.ofType : type);
  if (!asList) return session.preset(target, digestOf(node.digest, "value"), value);
  return (value as unknown[]).map((item, index) =>
    item instanceof Node ? item : session.preset(target, digestOf(node.digest, index), item),
  );
}

/** Replaces the IDs among the arguments by the nodes they name. */
function decode(
  session: Session,
  declared: readonly GraphQLArgument[],
  args: Record<string, unknown>,
): Record<string, unknown> {
  const decoded: Record<string, unknown> = {};
  for (const argument of declared) {
    const value = args[argument.name];
    if (value === undefined || value === null) continue;
    decoded[argument.name] = isId(argument.type) ? toNode(session, value) : value;
  }
  return decoded;
}

function isId(type: GraphQLInputType): boolean {
  const { name } = getNamedType(type);
  // Types of modules have scalars of their own for their IDs, as in Dagger.
  return name === "ID" || name.endsWith("ID");
}

function toNode(session: Session, value: unknown): unknown {
  return Array.isArray(value)
    ? value.map((item) => toNode(session, item))
    : session.node(String(value));
}
