import { ready } from "../api/lazy.js";
import type { DirectoryValue } from "../api/values.js";
import type { Json } from "../graph/digest.js";
import { Node } from "../graph/node.js";
import { closure, type Call } from "../session.js";

/** Recipes of nodes, dependencies first, with node arguments as `{ "@": digest }`. */
export type Frozen = readonly {
  readonly digest: string;
  readonly type: string;
  readonly field: string;
  readonly parent: string | null;
  readonly args: Json;
}[];

/** The recipes that make `nodes` again in another session; undefined if one of them cannot be. */
export function freeze(nodes: readonly Node[]): { recipes: Frozen; layers: string[] } | undefined {
  const all = closure(...nodes);
  if (all.some(({ portable }) => !portable)) return undefined;
  const layers = all
    .filter(({ recipe }) => recipe.field === "__tree")
    .flatMap(({ recipe }) => recipe.args.layers as string[]);
  const recipes = all.map(({ digest, recipe: { type, field, parent, args } }) => ({
    digest,
    type,
    field,
    parent: parent?.digest ?? null,
    args: pack(args),
  }));
  return { recipes, layers: [...new Set(layers)] };
}

function pack(value: unknown): Json {
  if (value instanceof Node) return { "@": value.digest };
  if (Array.isArray(value)) return value.map(pack);
  if (value !== null && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, pack(item)]));
  }
  return (value ?? null) as Json;
}

/** Makes the nodes of `frozen` known to the session. */
export function thaw(call: Call, frozen: Frozen): void {
  const nodes = new Map<string, Node>();
  const unpack = (value: Json): unknown => {
    if (Array.isArray(value)) return value.map(unpack);
    if (value === null || typeof value !== "object") return value;
    const entries = Object.entries(value as Record<string, Json>);
    const [first] = entries;
    if (entries.length === 1 && first?.[0] === "@") return nodes.get(first[1] as string);
    return Object.fromEntries(entries.map(([key, item]) => [key, unpack(item)]));
  };
  for (const { digest, type, field, parent, args } of frozen) {
    const recipe = {
      type,
      field,
      parent: parent === null ? undefined : nodes.get(parent),
      args: unpack(args) as Record<string, unknown>,
    };
    if (field === "__tree") {
      const tree = {
        snapshot: { layers: recipe.args.layers as string[] },
        path: recipe.args.path as string,
      };
      const value: DirectoryValue = { tree: ready(tree) };
      nodes.set(digest, call.session.preset(type, digest, value, recipe));
    } else {
      nodes.set(digest, call.session.intern(new Node(recipe)));
    }
  }
}
