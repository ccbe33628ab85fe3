import { request } from "node:http";
import { text } from "node:stream/consumers";

/** Where a session listens, and what lets one in. */
export interface Endpoint {
  readonly port: number;
  readonly token: string;
}

interface GraphQLProblem {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** Where in its traces Dagger's engine saw an error first: for its own display. */
const ORIGIN = / ?\[traceparent:[0-9a-f]{32}-[0-9a-f]{16}\]/g;

/** The engine answered, and the answer is an error. */
export class QueryError extends Error {
  override readonly name = "QueryError";
  /** Field that failed; empty when the query itself was refused. */
  readonly path: readonly (string | number)[];
  readonly extensions: Readonly<Record<string, unknown>>;

  constructor(problems: readonly GraphQLProblem[]) {
    const [first] = problems;
    super([...new Set(problems.map(({ message }) => message.replace(ORIGIN, "")))].join("\n"));
    this.path = first?.path ?? [];
    this.extensions = first?.extensions ?? {};
  }
}

/** The engine could not be reached, or went away in the middle. */
export class ConnectionError extends Error {
  override readonly name = "ConnectionError";
}

interface Answer<T> {
  readonly data?: T | null;
  readonly errors?: readonly GraphQLProblem[];
}

/**
 * Sends a GraphQL document to a session. Waits as long as it takes: `fetch` would give up after
 * five minutes without an answer.
 *
 * @throws QueryError when the engine answers with errors, ConnectionError when it does not answer.
 */
export async function query<T>(
  { port, token }: Endpoint,
  document: string,
  signal?: AbortSignal,
): Promise<T> {
  const body = await post(port, token, JSON.stringify({ query: document }), signal);
  let answer: Answer<T>;
  try {
    answer = JSON.parse(body) as Answer<T>;
  } catch {
    throw new ConnectionError(
      `what answers on port ${port} is no engine; it said: ${body.slice(0, 200)}`,
    );
  }
  if (answer.errors?.length) throw new QueryError(answer.errors);
  if (!answer.data) throw new ConnectionError("the engine answered without data");
  return answer.data;
}

function post(port: number, token: string, body: string, signal?: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      const reason: unknown = signal?.aborted ? signal.reason : undefined;
      reject(
        reason instanceof Error
          ? reason
          : new ConnectionError(`the engine on port ${port} went away: ${error.message}`),
      );
    };
    const sent = request(
      {
        host: "127.0.0.1",
        port,
        path: "/query",
        method: "POST",
        auth: `${token}:`,
        headers: {
          "Content-Type": "application/json",
          "Content-Length": Buffer.byteLength(body),
        },
        ...(signal && { signal }),
      },
      (response) => {
        text(response).then(resolve, fail);
      },
    );
    sent.on("error", fail);
    sent.end(body);
  });
}
