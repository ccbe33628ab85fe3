import type { Session } from "../session.js";
import type { Args, Node } from "../graph/node.js";
import type { Client } from "../client.js";

/** What an operation is given besides its object and its arguments. */
export interface Call {
  readonly session: Session;
  /** Who asks: the person's program, or a function of a module. */
  readonly client: Client;
  /** The operation's own place in the graph. */
  readonly node: Node;
  readonly signal: AbortSignal;
}

/** Work that runs when somebody needs its result, and then once. */
export type Lazy<T> = (signal: AbortSignal) => Promise<T>;

/** Defers `work` until its result is asked for; it runs once for this operation. */
export function lazy<T>(
  call: Call,
  work: (signal: AbortSignal) => Promise<T>,
  part = "fs",
): Lazy<T> {
  const { session, node } = call;
  return (signal) => session.share(`${node.digest}/${part}`, work, signal);
}

/** A result that is already there. */
export function ready<T>(value: T): Lazy<T> {
  return () => Promise.resolve(value);
}

/**
 * The fields of one type: GraphQL signature → operation. A field that returns a non-null object is
 * lazy (it becomes a node of the graph); any other is answered at once.
 */
export type Fields<Self> = Readonly<
  Record<string, (self: Self, args: never, call: Call) => unknown>
>;

/** Who asks for a field. */
export type Asker = Pick<Call, "session" | "client">;

/** Fields whose identity includes more than their arguments, or something else instead. */
export type Identities = Readonly<Record<string, (args: Args, asker: Asker) => string | undefined>>;
