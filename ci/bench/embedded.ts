import type { EngineEvent } from "../engine/events.js";
import { openSession, type Session } from "../cli/session/open.js";

/** What a chain of fields answers, whatever the fields are. */
type Nested = Readonly<Record<string, unknown>>;

/** Runs `work` in a session of an engine of its own, on the cache that the environment names. */
export async function inSession<T>(
  work: (session: Session) => Promise<T>,
  onStep?: (event: EngineEvent) => void,
): Promise<T> {
  const { signal } = new AbortController();
  const session = await openSession({ engine: "embedded", signal, onStep });
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

/** Asks for one value at the end of a chain of fields, such as `["container", 'from(address: "x")', "id"]`. */
export async function ask(session: Session, ...fields: readonly string[]): Promise<unknown> {
  const answer = await session.query<Nested>(
    `{ ${fields.join(" { ")} ${"}".repeat(fields.length)}`,
  );
  return fields.reduce<unknown>(
    (value, field) => (value as Nested)[/^\w+/.exec(field)?.[0] ?? ""],
    answer,
  );
}

/** `name(argument: …)` with the argument as GraphQL writes it. */
export function field(name: string, args: Readonly<Record<string, unknown>>): string {
  const list = Object.entries(args).map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
  return `${name}(${list.join(", ")})`;
}
