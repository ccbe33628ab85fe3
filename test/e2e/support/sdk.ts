import { connection } from "@dagger.io/dagger";

import type { Session } from "./session.js";

/**
 * Lets `dag` in this process speak to a session, as in a module's own: for stages that no public
 * function shows alone.
 *
 * @returns What ends that; before the session closes.
 */
export async function connectTo({ env }: Session): Promise<() => Promise<void>> {
  for (const name of ["DAGGER_SESSION_PORT", "DAGGER_SESSION_TOKEN"]) process.env[name] = env[name];
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => (end = resolve));
  let connected: Promise<void> = Promise.resolve();
  await new Promise<void>((ready, fail) => {
    connected = connection(() => {
      ready();
      return ended;
    });
    connected.catch(fail);
  });
  return () => {
    end();
    return connected;
  };
}
