import { ExecFailure } from "../graph/errors.js";
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
  stop(kill: boolean): Promise<void>;
}

interface Entry {
  readonly started: Promise<Started>;
  readonly hostname: string;
  users: number;
  /** Its address, once it is up. */
  ip?: string;
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
      started.then(
        ({ ip }) => (starting.ip = ip),
        () => this.entries.delete(node.digest),
      );
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
  detach(node: Node): void {
    const entry = this.entries.get(node.digest);
    if (!entry) return;
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
    const up = [...this.entries.values()].filter(({ ip }) => ip !== undefined);
    return Object.fromEntries(up.map(({ hostname, ip }) => [hostname, ip ?? ""]));
  }
}

const managers = new WeakMap<Session, Services>();

export function servicesOf(session: Session): Services {
  const manager = managers.get(session) ?? new Services(session);
  managers.set(session, manager);
  return manager;
}

/** Starts what a container is bound to; gives the names under which it finds them. */
export async function bindings(
  call: Call,
  bound: readonly { alias: string; service: Node }[],
  signal: AbortSignal,
): Promise<{ aliases: Record<string, string>; release(): void }> {
  const services = servicesOf(call.session);
  const attached: Node[] = [];
  const release = () => {
    for (const node of attached.splice(0)) services.detach(node);
  };
  try {
    const aliases: Record<string, string> = {};
    await Promise.all(
      bound.map(async ({ alias, service }) => {
        const started = await services.attach(call, service, signal).catch((error: unknown) => {
          throw named(error, alias);
        });
        attached.push(service);
        aliases[alias] = started.ip;
      }),
    );
    return { aliases: { ...services.hostnames(), ...aliases }, release };
  } catch (error) {
    release();
    throw error;
  }
}

/** Says under which name the service that did not start is wanted. */
function named(error: unknown, alias: string): unknown {
  if (!(error instanceof ExecFailure)) return error;
  const { cmd, exitCode, stdout, stderr } = error;
  return new ExecFailure(cmd, exitCode, stdout, stderr, `start service ${alias}: `);
}
