import type { Client } from "@dagger.io/dagger";

/** The server refused a query or could not answer it. */
export class QueryError extends Error {
  override readonly name = "QueryError";

  constructor(
    message: string,
    /** What the server says besides the message, e.g. `exitCode` of an exec. */
    readonly extensions: Record<string, unknown>,
  ) {
    super(message);
  }
}

interface Answer<T> {
  data?: T;
  errors?: { message: string; extensions?: Record<string, unknown> }[];
}

/**
 * Sends a document to the session of `dag`, past the SDK: its own client takes no signal.
 * Rejects with a QueryError, or with the signal's reason when aborted.
 */
export async function query<T>(
  dag: Client,
  document: string,
  variables: Record<string, unknown> = {},
  signal?: AbortSignal,
): Promise<T> {
  // The SDK keeps to itself where a session is that it started.
  const { url, requestConfig } = dag.getGQLClient() as unknown as {
    url: string;
    requestConfig: { headers: Record<string, string> };
  };
  const response = await fetch(url, {
    method: "POST",
    headers: { ...requestConfig.headers, "Content-Type": "application/json" },
    body: JSON.stringify({ query: document, variables }),
    ...(signal && { signal }),
  });
  const { data, errors } = (await response.json()) as Answer<T>;
  const [error] = errors ?? [];
  if (error) throw new QueryError(error.message, error.extensions ?? {});
  if (!data) throw new QueryError(`status ${String(response.status)} without data`, {});
  return data;
}
