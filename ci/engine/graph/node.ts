import { digestOf, type Json } from "./digest.js";

/** Arguments of an operation; an argument that is an object of the API is the node that makes it. */
export type Args = Readonly<Record<string, unknown>>;

/** An operation as a value: which field of which object, with what. Its digest is its identity. */
export interface Recipe {
  readonly type: string;
  readonly field: string;
  readonly parent: Node | undefined;
  readonly args: Args;
}

/** A place in the graph: the promise of an object of type `type`. Nothing runs until it is forced. */
export class Node {
  readonly digest: string;
  /** Whether the recipe alone is enough to make the object again, in another session. */
  readonly portable: boolean;

  constructor(
    readonly recipe: Recipe,
    /** Sets the digest where identity is not the recipe: a secret's is keyed, a one-off's is random. */
    digest?: string,
  ) {
    this.portable = digest === undefined || recipe.field === "__tree";
    this.digest =
      digest ??
      digestOf(recipe.type, recipe.parent?.digest ?? "", recipe.field, identity(recipe.args));
  }

  get type(): string {
    return this.recipe.type;
  }

  /** The opaque ID that clients hold. */
  get id(): string {
    return `${this.type}@${this.digest}`;
  }
}

/** Arguments as JSON in which nodes stand as their digests. */
function identity(value: unknown): Json {
  if (value instanceof Node) return `@${value.digest}`;
  if (Array.isArray(value)) return value.map(identity);
  if (value !== null && typeof value === "object") {
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, item]) => item !== undefined)
        .map(([key, item]) => [key, identity(item)]),
    );
  }
  return (value ?? null) as Json;
}

/** The nodes that an argument value holds, however deep. */
export function nodesIn(value: unknown): Node[] {
  if (value instanceof Node) return [value];
  if (Array.isArray(value)) return value.flatMap(nodesIn);
  if (value !== null && typeof value === "object") return Object.values(value).flatMap(nodesIn);
  return [];
}
