import { EngineError, ExecFailure } from "../graph/errors.js";
import type { Node } from "../graph/node.js";
import type { Call, Session } from "../session.js";
import type { PortValue } from "./values.js";

export interface ServiceValue {
  readonly hostname: string;
  readonly ports: readonly PortValue[];
  /** Starts it; the caller shares and counts. */
  start(call: Call, signal: AbortSignal): Promise<Started>;
  /** Set for a tunnel, whose clients are on the host. */
  readonly endpointHost?: string;
}

export interface Started {
  readonly ip: string;
  readonly ports: readonly number[];
  /** How it ended, when it does by itself: "" after success, else why. Nothing that a host offers ends. */
  readonly exited?: Promise<string>;
  stop(kill: boolean): Promise<void>;
}

interface Entry {
  readonly started: Promise<Started>;
  readonly hostname: string;
  users: number;
  /** Set once it is up. */
  running?: Started;
}

/** How long a service outlives its last client, as in Dagger: the next step often wants it again. */
const DETACH_GRACE_MS = 10_000;

/** The services of one session: each is started once and lives while somebody needs it. */
class Services {
  private readonly entries = new Map<string, Entry>();

  constructor(session: Session) {
    session.onClose(async () => {
      const entries = [...this.entries.values()];
      this.entries.clear();
      await Promise.allSettled(entries.map(async ({ started }) => (await started).stop(true)));
    });
  }

  async attach(call: Call, node: Node, signal: AbortSignal): Promise<Started> {
    const value = await call.session.force<ServiceValue>(node, call.client, signal);
    let entry = this.entries.get(node.digest);
    if (!entry) {
      const own = new AbortController();
      const started = value.start(call, own.signal);
      const starting: Entry = { started, users: 0, hostname: value.hostname };
      entry = starting;
      this.entries.set(node.digest, entry);
      // What has ended is started anew for who needs it next.
      const forget = (): void => {
        if (this.entries.get(node.digest) === starting) this.entries.delete(node.digest);
      };
      started.then((running) => {
        starting.running = running;
        running.exited?.then(forget, forget);
      }, forget);
    }
    entry.users += 1;
    try {
      return await entry.started;
    } catch (error) {
      entry.users -= 1;
      throw error;
    }
  }

  /** Some time after its last user left, a service ends; one started by hand is its own user. */
  detach(node: Node, started: Started): void {
    const entry = this.entries.get(node.digest);
    if (entry?.running !== started) return;
    entry.users -= 1;
    setTimeout(() => {
      const unused = this.entries.get(node.digest) === entry && entry.users <= 0;
      if (unused) this.stop(node, false).catch(() => undefined);
    }, DETACH_GRACE_MS).unref();
  }

  async stop(node: Node, kill: boolean): Promise<void> {
    const entry = this.entries.get(node.digest);
    if (!entry) return;
    this.entries.delete(node.digest);
    await (await entry.started).stop(kill);
  }

  /** Hostnames of what is up now, so that containers of the session reach it by name. */
  hostnames(): Record<string, string> {
    const up = [...this.entries.values()].flatMap(({ hostname, running }) =>
      running ? [[hostname, running.ip]] : [],
    );
    return Object.fromEntries(up) as Record<string, string>;
  }
}

const managers = new WeakMap<Session, Services>();

export function servicesOf(session: Session): Services {
  const manager = managers.get(session) ?? new Services(session);
  managers.set(session, manager);
  return manager;
}

/** What a container is bound to, started. */
export interface Bound {
  /** The names under which it finds them. */
  readonly aliases: Record<string, string>;
  /** Aborted when one of them ends before `release`, with the words for who needs it. */
  readonly lost: AbortSignal;
  release(): void;
}

export async function bindings(
  call: Call,
  bound: readonly { alias: string; service: Node }[],
  signal: AbortSignal,
): Promise<Bound> {
  const services = servicesOf(call.session);
  const attached: { service: Node; started: Started }[] = [];
  const lost = new AbortController();
  let released = false;
  const release = (): void => {
    released = true;
    for (const { service, started } of attached.splice(0)) services.detach(service, started);
  };
  try {
    const aliases: Record<string, string> = {};
    await Promise.all(
      bound.map(async ({ alias, service }) => {
        const { hostname } = await call.session.force<ServiceValue>(service, call.client, signal);
        const name = `${hostname} (aliased as ${alias})`;
        const started = await services.attach(call, service, signal).catch((error: unknown) => {
          throw named(error, name);
        });
        attached.push({ service, started });
        aliases[alias] = started.ip;
        void started.exited?.then((why) => {
          const end = why === "" ? "exited" : `exited: ${why}`;
          if (!released) lost.abort(new EngineError(`bound service ${name} ${end}`));
        });
      }),
    );
    return { aliases: { ...services.hostnames(), ...aliases }, lost: lost.signal, release };
  } catch (error) {
    release();
    throw error;
  }
}

/** Says which service did not start, and under which name it is wanted. */
function named(error: unknown, name: string): unknown {
  if (!(error instanceof ExecFailure)) return error;
  const { cmd, exitCode, stdout, stderr, context } = error;
  return new ExecFailure(cmd, exitCode, stdout, stderr, `start ${name}: ${context}`);
}
