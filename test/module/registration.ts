import { copyFile, mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type FieldNode, Kind, parse, type SelectionSetNode, valueFromASTUntyped } from "graphql";

const SOURCE = fileURLToPath(new URL("../../src/", import.meta.url));

/** A call in a chain of the API, such as `withArg(name: "shard", …)`. */
interface Step {
  readonly field: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/** A function, or a field of a result, as the module registers it. */
export interface Registered {
  readonly name: string;
  /** `Slipway`, `CheckReport`, … */
  readonly owner: string;
  readonly description: string;
  readonly check: boolean;
  readonly cachePolicy: string | undefined;
  readonly timeToLive: string | undefined;
  readonly args: readonly {
    name: string;
    description: string;
    required: boolean;
    /** Whether it is true or false, and so takes no value on the command line. */
    isSwitch: boolean;
  }[];
}

/**
 * Registers the module through the SDK's own entrypoint, with a server in place of an engine that
 * gives each object an ID and remembers the chain of calls that made it.
 */
export async function register(): Promise<Registered[]> {
  const chains = new Map<string, readonly Step[]>();
  const server = createServer((request, response) => {
    void answer(request, chains).then((data) => {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ data }));
    });
  });
  // Compiling the module takes longer than a connection is kept by default, on a busy machine.
  server.keepAliveTimeout = 0;
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const folder = await mkdtemp(join(tmpdir(), "slipway-types-"));
  process.env.DAGGER_SESSION_PORT = String((server.address() as AddressInfo).port);
  process.env.DAGGER_SESSION_TOKEN = "none";
  try {
    const sdk = dirname(createRequire(import.meta.url).resolve("@dagger.io/dagger"));
    const types = join(folder, "client.gen.ts");
    await copyFile(join(sdk, "api/client.gen.d.ts"), types);
    const { entrypoint } = await import("@dagger.io/dagger");
    await entrypoint([...(await sources()), types]);
  } finally {
    server.close();
    server.closeAllConnections();
    await rm(folder, { recursive: true });
  }
  return functions(chains);
}

async function sources(): Promise<string[]> {
  const names = await readdir(SOURCE, { recursive: true });
  return names.filter((name) => name.endsWith(".ts")).map((name) => join(SOURCE, name));
}

async function answer(
  request: IncomingMessage,
  chains: Map<string, readonly Step[]>,
): Promise<unknown> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const { query } = JSON.parse(Buffer.concat(parts).toString()) as { query: string };
  const [operation] = parse(query).definitions;
  if (operation?.kind !== Kind.OPERATION_DEFINITION) throw new Error(`unexpected: ${query}`);
  return select(operation.selectionSet, [], chains);
}

function select(
  set: SelectionSetNode,
  chain: readonly Step[],
  chains: Map<string, readonly Step[]>,
): Record<string, unknown> {
  const entries = set.selections.flatMap((selection) => {
    // `node(id:) { ... on Type { … } }` goes on from the object of that ID.
    if (selection.kind === Kind.INLINE_FRAGMENT)
      return Object.entries(select(selection.selectionSet, chain, chains));
    if (selection.kind !== Kind.FIELD) throw new Error("no named fragments expected");
    return [[selection.name.value, value(selection, chain, chains)]];
  });
  return Object.fromEntries(entries) as Record<string, unknown>;
}

function value(
  field: FieldNode,
  chain: readonly Step[],
  chains: Map<string, readonly Step[]>,
): unknown {
  const args = Object.fromEntries(
    (field.arguments ?? []).map((arg) => [arg.name.value, valueFromASTUntyped(arg.value)]),
  );
  const name = field.name.value;
  const next =
    name === "node" ? (chains.get(String(args.id)) ?? []) : [...chain, { field: name, args }];
  if (field.selectionSet) return select(field.selectionSet, next, chains);
  if (name === "id") {
    const id = `id-${chains.size}`;
    chains.set(id, chain);
    return id;
  }
  return name === "name" ? "slipway" : name === "parentName" ? "" : null;
}

function functions(chains: Map<string, readonly Step[]>): Registered[] {
  const chain = (id: unknown): readonly Step[] => chains.get(String(id)) ?? [];
  const module = [...chains.values()].find(([first]) => first?.field === "module") ?? [];
  return module
    .filter(({ field }) => field === "withObject")
    .flatMap(({ args }) => {
      const object = chain(args.object);
      const owner = String(object.find(({ field }) => field === "withObject")?.args.name);
      const fields = object
        .filter(({ field }) => field === "withField")
        .map(({ args: field }) => ({
          name: String(field.name),
          owner,
          description: text(field.description),
          check: false,
          cachePolicy: undefined,
          timeToLive: undefined,
          args: [],
        }));
      return object
        .filter(({ field }) => field === "withFunction" || field === "withConstructor")
        .map((step): Registered => described(owner, chain(step.args.function), chain))
        .concat(fields);
    });
}

function described(
  owner: string,
  steps: readonly Step[],
  chain: (id: unknown) => readonly Step[],
): Registered {
  const of = (field: string): Step["args"] | undefined =>
    steps.find((step) => step.field === field)?.args;
  return {
    owner,
    name: String(of("function")?.name),
    description: text(of("withDescription")?.description),
    check: of("withCheck") !== undefined,
    cachePolicy: of("withCachePolicy")?.policy as string | undefined,
    timeToLive: of("withCachePolicy")?.timeToLive as string | undefined,
    args: steps
      .filter(({ field }) => field === "withArg")
      .map(({ args }) => ({
        name: String(args.name),
        description: text(args.description),
        isSwitch: chain(args.typeDef).some(({ args: { kind } }) => kind === "BOOLEAN"),
        required:
          args.defaultValue === undefined &&
          args.defaultPath === undefined &&
          !chain(args.typeDef).some(({ field }) => field === "withOptional"),
      })),
  };
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
