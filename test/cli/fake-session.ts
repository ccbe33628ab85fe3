import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export interface FakeSession {
  /** For the command's environment. */
  readonly env: Readonly<Record<string, string>>;
  /** The queries it got, in order. */
  readonly queries: readonly string[];
  close(): void;
}

type Answer = { data: unknown } | { errors: readonly unknown[] };

/**
 * A session that loads the module below and answers every other query by `answer`; it refuses
 * whoever does not show its token.
 */
export async function fakeSession(
  answer: (query: string) => Answer | Promise<Answer>,
): Promise<FakeSession> {
  const queries: string[] = [];
  const expected = `Basic ${Buffer.from("secret-token:").toString("base64")}`;
  const server = createServer((request, response) => {
    void text(request).then(async (body) => {
      if (request.headers.authorization !== expected) {
        response.writeHead(401).end("{}");
        return;
      }
      const { query } = JSON.parse(body) as { query: string };
      queries.push(query);
      response.setHeader("Content-Type", "application/json");
      response.end(JSON.stringify(await reply(query, answer)));
    });
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const { port } = server.address() as AddressInfo;
  return {
    env: { DAGGER_SESSION_PORT: String(port), DAGGER_SESSION_TOKEN: "secret-token" },
    queries,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function reply(
  query: string,
  answer: (query: string) => Answer | Promise<Answer>,
): Answer | Promise<Answer> {
  if (query.includes("moduleSource")) return { data: { moduleSource: { asModule: MODULE } } };
  if (query.startsWith("{ a0: ")) return { data: addressed(query) };
  return answer(query);
}

/** An ID for each address that is asked for: a secret's is its address. */
function addressed(query: string): object {
  const ids = [...query.matchAll(/(a\d+): (?:host|address|secret\(uri: "([^"]*)"\))/g)];
  return Object.fromEntries<object>(
    ids.map(([, name = "", uri]) => [name, { id: uri ?? "source-id" }]),
  );
}

const type = (kind: string, name = "", more: object = {}) => ({
  kind: `${kind}_KIND`,
  optional: false,
  asObject: kind === "OBJECT" ? { name } : null,
  asEnum: null,
  asScalar: null,
  asInterface: null,
  asInput: null,
  ...more,
});

const arg = (name: string, typeDef: object, defaultValue: string | null = null) => ({
  name,
  description: `About ${name}`,
  defaultValue,
  defaultPath: "",
  ignore: [],
  typeDef,
});

const strings = type("LIST", "", { asList: { elementTypeDef: type("STRING") } });
const fn = (name: string, returnType: object, args: object[] = []) => ({
  name,
  description: `Does ${name}`,
  args,
  returnType,
});

const CLUSTER = [
  arg("kubeConfig", type("OBJECT", "Secret", { optional: true })),
  arg("cluster", type("OBJECT", "Service", { optional: true })),
  ...["by", "run"].map((name) => arg(name, type("STRING", "", { optional: true }))),
];

const MODULE = {
  name: "slipway",
  description: "",
  objects: [
    {
      asObject: {
        name: "Slipway",
        description: "",
        constructor: {
          args: [
            { ...arg("source", type("OBJECT", "Directory")), ignore: ["**/.git"] },
            arg("set", strings, "[]"),
            arg("environment", strings, "[]"),
          ],
        },
        fields: [],
        functions: [
          fn("lint", type("VOID")),
          fn("test", type("VOID")),
          fn("pipAudit", type("VOID")),
          fn("version", type("STRING")),
          fn("checks", type("OBJECT", "SlipwayReport"), [arg("only", strings, "[]")]),
          ...["scan", "verify", "release", "validate", "status"].map((name) =>
            fn(name, type("OBJECT", "SlipwayReport")),
          ),
          fn("sign", type("STRING"), [arg("keyReference", type("STRING"), '""')]),
          fn("deploy", type("OBJECT", "SlipwayDelivery"), CLUSTER),
          fn("abort", type("OBJECT", "SlipwayDelivery"), CLUSTER),
        ],
      },
    },
    {
      asObject: {
        name: "SlipwayReport",
        description: "",
        constructor: null,
        fields: [
          { name: "passed", description: "", typeDef: type("BOOLEAN") },
          { name: "summary", description: "", typeDef: type("STRING") },
          { name: "report", description: "", typeDef: type("STRING") },
          { name: "reports", description: "", typeDef: type("OBJECT", "Directory") },
        ],
        functions: [],
      },
    },
    {
      asObject: {
        name: "SlipwayDelivery",
        description: "",
        constructor: null,
        fields: ["state", "table", "json", "markdown"].map((name) => ({
          ...{ name, description: "", typeDef: type("STRING") },
        })),
        functions: [],
      },
    },
  ],
  interfaces: [],
  enums: [],
};

/** What the module's `checks` gives when they end in `state`. */
export function checksAnswer(state: string): Answer {
  const report = JSON.stringify({ schemaVersion: "1.0", state });
  const checks = { passed: state === "PASSED", summary: `${state}: the table\n`, report };
  return { data: { slipway: { checks } } };
}
