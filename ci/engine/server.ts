import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import {
  execute,
  FieldsOnCorrectTypeRule,
  KnownArgumentNamesRule,
  KnownTypeNamesRule,
  parse,
  ProvidedRequiredArgumentsRule,
  ScalarLeafsRule,
  validate,
  ValuesOfCorrectTypeRule,
  type DocumentNode,
} from "graphql";
import { inputs } from "./api/inputs.js";
import { assemble, type RequestContext } from "./api/schema.js";
import { coreTables, internalOperations } from "./api/tables.js";
import { explainUnknownFields } from "./api/unknown.js";
import type { Client } from "./client.js";
import type { Engine } from "./engine.js";
import { Session } from "./session.js";

/** A request is at most this large: a chain of thousands of steps is a few megabytes. */
const MAX_BODY = 256 << 20;

/**
 * Rules whose work is linear in the query. GraphQL's others compare fields pairwise or recurse,
 * which a chain of thousands of steps cannot afford.
 */
const RULES = [
  FieldsOnCorrectTypeRule,
  KnownArgumentNamesRule,
  KnownTypeNamesRule,
  ProvidedRequiredArgumentsRule,
  ScalarLeafsRule,
  ValuesOfCorrectTypeRule,
];

export interface SessionServer {
  readonly port: number;
  readonly session: Session;
  close(): Promise<void>;
}

/** Serves one session on the loopback interface, to holders of its token. */
export async function serveSession(
  engine: Engine,
  options: { token: string; cwd: string; port?: number },
): Promise<SessionServer> {
  const session = new Session(
    engine,
    (own, modules) =>
      assemble(
        own,
        [inputs, ...modules.map((module) => module.inputs)],
        [...coreTables, ...modules.flatMap(({ tables }) => tables)],
      ),
    internalOperations as never,
  );
  session.addClient({ token: options.token, cwd: options.cwd });
  const server = createServer((request, response) => {
    handle(session, request, response).catch((error: unknown) => {
      reply(response, 500, { errors: [{ message: (error as Error).message }] });
    });
  });
  // A step may take as long as it takes.
  server.requestTimeout = 0;
  server.headersTimeout = 30_000;
  server.keepAliveTimeout = 60_000;
  await listen(server, options.port ?? 0);
  session.port = (server.address() as AddressInfo).port;
  return {
    port: session.port,
    session,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await session.close();
    },
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
}

async function handle(
  session: Session,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  // A page in a browser must not be able to speak to the engine, not even with a guessed token.
  if (request.headers.origin !== undefined || !isLoopback(request.headers.host)) {
    refuse(response, 403, "requests from web pages or under other host names are refused");
    return;
  }
  const client = authenticate(session, request.headers.authorization);
  if (!client) {
    response.setHeader("WWW-Authenticate", 'Basic realm="dagger session"');
    refuse(response, 401, "the session token is missing or wrong");
    return;
  }
  const path = (request.url ?? "").split("?")[0];
  if (path !== "/query") {
    refuse(response, 404, `nothing at ${path ?? "/"}: the API is at /query`);
    return;
  }
  if (request.method !== "POST") {
    refuse(response, 405, "send queries with POST");
    return;
  }
  const body = await read(request);
  if (body === undefined) {
    refuse(response, 413, `a query is at most ${MAX_BODY} bytes`);
    return;
  }
  // When the client goes away, what only it waits for stops.
  const controller = new AbortController();
  response.on("close", () => {
    if (!response.writableFinished) controller.abort(new Error("the client went away"));
  });
  const result = await answer(session, client, body, controller.signal);
  reply(response, "status" in result ? 400 : 200, "status" in result ? result.body : result);
}

interface Answer {
  data?: unknown;
  errors?: readonly unknown[];
}

async function answer(
  session: Session,
  client: Client,
  body: string,
  signal: AbortSignal,
): Promise<Answer | { status: 400; body: Answer }> {
  let document: DocumentNode;
  let variables: Record<string, unknown> | undefined;
  try {
    const request = JSON.parse(body) as { query?: string; variables?: Record<string, unknown> };
    document = parse(request.query ?? "");
    variables = request.variables;
  } catch (error) {
    return { status: 400, body: { errors: [{ message: (error as Error).message }] } };
  }
  const { schema } = session;
  const mistakes = validate(schema, document, RULES, { maxErrors: 20 });
  if (mistakes.length > 0) {
    return { errors: await explainUnknownFields(schema, mistakes) };
  }
  const contextValue: RequestContext = { client, signal };
  const { data, errors } = await execute({
    schema,
    document,
    contextValue,
    ...(variables && { variableValues: variables }),
  });
  if (!errors) return { data };
  return { data, errors: errors.map((error) => error.toJSON()) };
}

function authenticate(session: Session, header: string | undefined): Client | undefined {
  const encoded = /^Basic (.+)$/i.exec(header ?? "")?.[1];
  if (encoded === undefined) return undefined;
  const token = Buffer.from(encoded, "base64").toString("utf8").replace(/:$/, "");
  const known = session.client(token);
  return known && equal(known.token, token) ? known : undefined;
}

function equal(a: string, b: string): boolean {
  const hash = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(hash(a), hash(b));
}

function isLoopback(host: string | undefined): boolean {
  return /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(host ?? "");
}

async function read(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function refuse(response: ServerResponse, status: number, message: string): void {
  reply(response, status, { errors: [{ message }] });
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  if (response.headersSent) return;
  response.writeHead(status, { "Content-Type": "application/json" });
  response.end(JSON.stringify(body));
}
