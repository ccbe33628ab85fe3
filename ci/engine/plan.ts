import { EngineError } from "./graph/errors.js";
import { nodesIn, type Node } from "./graph/node.js";

/** Operations that are steps of a plan, and how each is called in it; the others only connect. */
const STEPS: Readonly<Record<string, (node: Node) => string>> = {
  "Container.from": ({ recipe }) => `from ${String(recipe.args.address)}`,
  "Container.withExec": ({ recipe }) => `exec ${(recipe.args.args as string[]).join(" ")}`,
  "Container.publish": ({ recipe }) => `publish ${String(recipe.args.address)}`,
  "Container.asService": ({ recipe }) =>
    `service ${((recipe.args.args as string[] | undefined) ?? []).join(" ")}`.trim(),
  "Directory.dockerBuild": () => "dockerBuild",
  "Host.directory": ({ recipe }) => `upload ${String(recipe.args.path)}`,
  "Host.file": ({ recipe }) => `upload ${String(recipe.args.path)}`,
};

/** What is thrown where a plan ends: something asked for the result of a step that has not run. */
export class NotRunError extends EngineError {
  constructor() {
    super("not run: this is a plan");
  }
}

/** The steps that a session names, each with the steps that it needs directly. */
export class Plan {
  private readonly told = new Set<string>();

  constructor(
    private readonly tell: (digest: string, name: string, after: readonly string[]) => void,
  ) {}

  add(node: Node): void {
    const step = STEPS[`${node.recipe.parent?.type ?? "Query"}.${node.recipe.field}`];
    if (!step || this.told.has(node.digest)) return;
    this.told.add(node.digest);
    this.tell(node.digest, step(node), this.before(node));
  }

  /** The nearest steps that `node` is made from. */
  private before(node: Node): readonly string[] {
    const found = new Set<string>();
    const seen = new Set<Node>();
    const todo = dependencies(node);
    for (let next = todo.pop(); next; next = todo.pop()) {
      if (seen.has(next)) continue;
      seen.add(next);
      if (this.told.has(next.digest)) found.add(next.digest);
      else todo.push(...dependencies(next));
    }
    return [...found];
  }
}

function dependencies({ recipe }: Node): Node[] {
  return [...(recipe.parent ? [recipe.parent] : []), ...nodesIn(recipe.args)];
}
