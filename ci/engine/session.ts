import type { GraphQLSchema } from "graphql";
import type { Client } from "./client.js";
import type { Engine } from "./engine.js";
import { EngineError } from "./graph/errors.js";
import { Node, nodesIn, type Args } from "./graph/node.js";
import { SharedWork } from "./graph/shared.js";
import type { ModuleValue } from "./modules/types.js";
import { Plan } from "./plan.js";

/** What an operation is given besides its object and its arguments. */
export interface Call {
  readonly session: Session;
  /** Who asks: the person's program, or a function of a module. */
  readonly client: Client;
  /** The operation's own place in the graph. */
  readonly node: Node;
  readonly signal: AbortSignal;
}

/**
 * The fields of one type: GraphQL signature → operation. A field that returns a non-null object is
 * lazy (it becomes a node of the graph); any other is answered at once.
 */
export type Fields<Self> = Readonly<Record<string, Operation<Self>>>;

export type Operation<Self = unknown> = (self: Self, args: never, call: Call) => unknown;

/** Fields whose identity includes more than their arguments, or something else instead. */
export type Identities = Readonly<Record<string, (args: Args, asker: Asker) => string | undefined>>;

/** Who asks for a field. */
export type Asker = Pick<Call, "session" | "client">;

/** A type of the API: its name and its fields. */
export interface TypeTable {
  readonly name: string;
  readonly fields: Fields<never>;
  readonly identities?: Identities;
}

/** A module's contribution to the schema: its types, and a field of Query that constructs it. */
export interface ModuleSchema {
  readonly tables: readonly TypeTable[];
  /** SDL of its enumerations. */
  readonly inputs: string;
}

/**
 * One person's visit to the engine: the nodes it has named, the values they have, what it runs.
 * Everything that must not outlive the visit hangs on it.
 */
export class Session {
  private readonly nodes = new Map<string, Node>();
  private readonly presets = new Map<string, unknown>();
  private readonly values = new SharedWork<unknown>();
  private readonly clients = new Map<string, Client>();
  private readonly closers: (() => Promise<void>)[] = [];
  /** The GraphQL schema, which grows when a module is served. */
  schema: GraphQLSchema;
  /** Names of the API's own types, without those of modules. */
  readonly coreTypes: readonly string[];
  private readonly extensions: ModuleSchema[] = [];
  /** Operations by `Type.field`. */
  readonly operations: Map<string, Operation>;
  /** Where the session is served. */
  port = 0;
  /** Modules whose functions are part of the schema. */
  readonly served: ModuleValue[] = [];

  private readonly plan: Plan | undefined;

  constructor(
    readonly engine: Engine,
    private readonly assemble: (
      session: Session,
      modules: readonly ModuleSchema[],
    ) => GraphQLSchema,
    internalOperations: Readonly<Record<string, Operation>>,
  ) {
    if (engine.options.plan) {
      this.plan = new Plan((digest, name, after) => {
        engine.events.emit({ event: "planned", digest, name, after });
      });
    }
    this.operations = new Map(Object.entries(internalOperations));
    this.schema = assemble(this, []);
    this.coreTypes = Object.keys(this.schema.getTypeMap());
  }

  /** Adds a module's types and functions to the schema. */
  extend(module: ModuleSchema): void {
    this.extensions.push(module);
    this.schema = this.assemble(this, this.extensions);
  }

  addClient(client: Client): () => void {
    this.clients.set(client.token, client);
    return () => this.clients.delete(client.token);
  }

  client(token: string): Client | undefined {
    return this.clients.get(token);
  }

  /** Names a node so that its ID can be used by clients of this session. */
  intern(node: Node): Node {
    const known = this.nodes.get(node.digest);
    if (known) return known;
    this.nodes.set(node.digest, node);
    this.plan?.add(node);
    return node;
  }

  /** A node whose value is known already. */
  preset(type: string, digest: string, value: unknown, recipe?: Partial<Node["recipe"]>): Node {
    const node = this.intern(
      new Node({ type, field: "", parent: undefined, args: {}, ...recipe }, digest),
    );
    this.presets.set(node.digest, value);
    return node;
  }

  /** The node that an ID names. */
  node(id: string, type?: string): Node {
    const at = id.lastIndexOf("@");
    const node = this.nodes.get(id.slice(at + 1));
    if (!node)
      throw new EngineError(
        `unknown ID ${JSON.stringify(id.slice(0, 80))}: it belongs to no object of this session`,
      );
    if (type && node.type !== type) {
      throw new EngineError(`expected the ID of a ${type}, got one of a ${node.type}`);
    }
    return node;
  }

  /** The object a node stands for, where nothing has to run for it. */
  known(node: Node): unknown {
    return this.presets.get(node.digest);
  }

  /** The object a node stands for; its operation runs at most once. */
  async force<T>(node: Node, client: Client, signal: AbortSignal): Promise<T> {
    const preset = this.known(node);
    if (preset !== undefined) return preset as T;
    const key = node.digest;
    return (await this.values.get(key, (own) => this.evaluate(node, client, own), signal)) as T;
  }

  private async evaluate(node: Node, client: Client, signal: AbortSignal): Promise<unknown> {
    const { parent, field, args } = node.recipe;
    const self = parent ? await this.force(parent, client, signal) : undefined;
    const operation = this.operation(parent?.type ?? "Query", field);
    return operation(self, args as never, { session: this, client, node, signal });
  }

  operation(type: string, field: string): Operation {
    const operation = this.operations.get(`${type}.${field}`);
    if (!operation) throw new EngineError(`${type}.${field} is not implemented`);
    return operation;
  }

  /** Shares a further piece of a node's work between all that ask for it. */
  share<T>(
    key: string,
    work: (signal: AbortSignal) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    return this.values.get(key, work, signal) as Promise<T>;
  }

  /** Runs when the session ends, last registered first. */
  onClose(closer: () => Promise<void>): void {
    this.closers.push(closer);
  }

  async close(): Promise<void> {
    for (const closer of this.closers.splice(0).reverse()) await closer();
  }
}

/** All nodes that `nodes` are made from, themselves included, dependencies first. */
export function closure(...nodes: readonly Node[]): Node[] {
  const done = new Set<Node>();
  const entered = new Set<string>();
  const todo: { node: Node; leave: boolean }[] = nodes.map((node) => ({ node, leave: false }));
  for (let next = todo.pop(); next; next = todo.pop()) {
    const { node, leave } = next;
    if (leave) {
      done.add(node);
      continue;
    }
    if (entered.has(node.digest)) continue;
    entered.add(node.digest);
    todo.push({ node, leave: true });
    const { parent, args } = node.recipe;
    for (const needed of [...(parent ? [parent] : []), ...nodesIn(args)]) {
      todo.push({ node: needed, leave: false });
    }
  }
  return [...done];
}
