import { setTimeout as sleep } from "node:timers/promises";
import type { Ran } from "./beside.js";
import type { Launched } from "./launch.js";
import { Scrubber } from "./scrub.js";
import type { HealthCheck, OutputStream, RunOptions, ServiceExit, ServicePort } from "./types.js";

const TAIL = 64 * 1024;
const FIRST_RETRY_MS = 20;
const LAST_RETRY_MS = 500;

/** The last of a service's output; the whole of it goes to whoever listens, and is not kept. */
export class ServiceOutput {
  private tail = Buffer.alloc(0);

  constructor(private readonly options: RunOptions) {}

  async read(stream: OutputStream, source: AsyncIterable<Buffer>): Promise<void> {
    const scrubber = new Scrubber(this.options.secrets ?? []);
    for await (const chunk of source) this.add(stream, scrubber.push(chunk));
    this.add(stream, scrubber.end());
  }

  add(stream: OutputStream, chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.options.onOutput?.(stream, chunk);
    this.tail = Buffer.concat([this.tail, chunk]).subarray(-TAIL);
  }

  toString(): string {
    return this.tail.toString();
  }
}

/** Waits until each TCP port accepts a connection. Rejects when the service ends before that, with what it said last. */
export async function untilHealthy(
  ports: readonly ServicePort[],
  probe: (port: number) => Promise<void>,
  exited: Promise<ServiceExit>,
): Promise<void> {
  for (const { port, protocol, skipHealthcheck } of ports) {
    if (protocol === "udp" || skipHealthcheck === true) continue;
    let wait = FIRST_RETRY_MS;
    // Whether it ended is asked first: a port of a dead service says nothing.
    for (;;) {
      const exit = await Promise.race([exited, sleep(0)]);
      if (exit !== undefined) throw new ServiceExitError(exit, `port ${port} answered`);
      const up = await probe(port).then(
        () => true,
        () => false,
      );
      if (up) break;
      await Promise.race([exited, sleep(wait)]);
      wait = Math.min(wait * 2, LAST_RETRY_MS);
    }
  }
}

/**
 * Waits until the check succeeds, as Dagger does: Docker's timeout of one try is not looked at, and what is too
 * late ends with it. Rejects when the service ends before that, and when the check has failed too often.
 */
export async function untilChecked(
  { every, startPeriod, retries }: HealthCheck,
  check: () => Promise<Ran | undefined>,
  exited: Promise<ServiceExit>,
): Promise<void> {
  const counted = Date.now() + startPeriod;
  let failures = 0;
  const ended = exited.then((exit) => {
    throw new ServiceExitError(exit, "its health check succeeded");
  });
  // Whoever has stopped waiting does not hear of it.
  ended.catch(() => undefined);
  for (;;) {
    const ran = await Promise.race([ended, check()]);
    if (ran?.exitCode === 0) return;
    if (Date.now() > counted) failures += 1;
    if (ran && failures === retries) throw new HealthCheckError(ran);
    await Promise.race([ended, sleep(every)]);
  }
}

/** A service that ended before it was up. */
export class ServiceExitError extends Error {
  constructor(
    readonly exit: ServiceExit,
    event: string,
  ) {
    const tail = exit.tail.trim();
    const said = tail === "" ? "it printed nothing" : `its last output was:\n${tail}`;
    super(`exit code: ${exit.exitCode}, before ${event}; ${said}`);
  }
}

/** A service whose health check has failed too often. */
export class HealthCheckError extends Error {
  constructor(readonly ran: Ran) {
    super(`health check errored: exit code: ${ran.exitCode}`);
  }
}

/** SIGTERM, and as much time to end as `graceMs`. */
export async function askToEnd(
  process: Launched,
  exited: Promise<unknown>,
  graceMs: number,
): Promise<void> {
  await process.signal("SIGTERM");
  const timer = new AbortController();
  await Promise.race([
    exited,
    sleep(graceMs, undefined, { signal: timer.signal }).catch(() => undefined),
  ]);
  timer.abort();
}
