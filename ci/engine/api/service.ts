import { ServiceExitError } from "../exec/service.js";
import type { Forward, RunningService } from "../exec/types.js";
import { EngineError, ExecFailure } from "../graph/errors.js";
import type { Node } from "../graph/node.js";
import { NotRunError } from "../plan.js";
import type { Call, Fields, Session } from "../session.js";
import { prepare } from "./container/prepare.js";
import { expand, type ContainerValue } from "./container/value.js";
import type { PortForward, PortValue } from "./values.js";

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

function servicesOf(session: Session): Services {
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

/** A container as a service; its process starts when somebody needs it. */
export function containerService(
  call: Call,
  self: ContainerValue,
  args: {
    args: string[];
    useEntrypoint: boolean;
    expand: boolean;
    insecureRootCapabilities: boolean;
    noInit: boolean;
  },
): ServiceValue {
  const command = serviceCommand(self, args);
  return {
    hostname: call.node.digest.slice(0, 13),
    ports: self.ports,
    async start(starter, signal) {
      const { runner, events, options } = starter.session.engine;
      if (options.plan) throw new NotRunError();
      const prepared = await prepare(starter, self, command, args, signal);
      const bound = await bindings(starter, self.services, signal);
      try {
        const running: RunningService = await events.step(
          `service ${command.join(" ")}`,
          (output) =>
            runner.startService(
              { ...prepared.spec, aliases: bound.aliases },
              self.ports.map(({ port, protocol, experimentalSkipHealthcheck }) => ({
                port,
                protocol: protocol === "UDP" ? "udp" : "tcp",
                skipHealthcheck: experimentalSkipHealthcheck,
              })),
              { signal, secrets: prepared.secrets, onOutput: output },
            ),
          signal,
        );
        return {
          ip: running.ip,
          ports: self.ports.map(({ port }) => port),
          async stop(kill) {
            await running.stop(kill);
            bound.release();
            await prepared.release();
          },
        };
      } catch (error) {
        bound.release();
        await prepared.release();
        if (!(error instanceof ServiceExitError)) throw error;
        throw new ExecFailure(command, error.exit.exitCode, error.exit.tail.trim(), "");
      }
    },
  };
}

function serviceCommand(
  self: ContainerValue,
  args: { args: string[]; useEntrypoint: boolean; expand: boolean },
): string[] {
  const given = args.args.map((arg) => expand(self, arg, args.expand));
  const { Cmd, Entrypoint } = self.config;
  const useEntrypoint = args.useEntrypoint || (given.length === 0 && !self.ownDefaultArgs);
  const command = [
    ...(useEntrypoint ? (Entrypoint ?? []) : []),
    ...(given.length > 0 ? given : (Cmd ?? [])),
  ];
  if (command.length === 0) throw new EngineError("no service command has been set");
  return command;
}

/** Ports of the host, as a service that containers can be bound to. */
export function hostService(
  call: Call,
  args: { ports: PortForward[]; host: string },
): ServiceValue {
  return {
    hostname: call.node.digest.slice(0, 13),
    ports: args.ports.map((port) => portValue(port.frontend ?? port.backend, port.protocol)),
    async start(starter) {
      const forward = await starter.session.engine.runner.exposeHost(args.ports, args.host);
      return started(forward);
    },
  };
}

/** Ports on the host's loopback that lead to a service. */
export function tunnelService(
  call: Call,
  args: { service: Node; native: boolean; ports: PortForward[] },
): ServiceValue {
  return {
    hostname: "localhost",
    endpointHost: "localhost",
    ports: args.ports.map((port) => portValue(port.frontend ?? port.backend, port.protocol)),
    async start(starter, signal) {
      const services = servicesOf(starter.session);
      const upstream = await services.attach(starter, args.service, signal);
      const wanted =
        args.ports.length > 0
          ? args.ports.map((port) => ({ frontend: 0, ...port }))
          : upstream.ports.map((port) => ({ backend: port, frontend: args.native ? port : 0 }));
      const forward = await starter.session.engine.runner.tunnel(upstream.ip, wanted);
      const own = started(forward);
      return {
        ...own,
        async stop(kill) {
          await own.stop(kill);
          services.detach(args.service);
        },
      };
    },
  };
}

function started(forward: Forward): Started {
  return { ip: forward.ip, ports: [...forward.ports.values()], stop: () => forward.close() };
}

function portValue(port: number, protocol: "TCP" | "UDP"): PortValue {
  return { port, protocol, description: null, experimentalSkipHealthcheck: false };
}

export const serviceFields: Fields<ServiceValue> = {
  "hostname: String!": (self) => self.hostname,
  "withHostname(hostname: String!): Service!": (self, args: { hostname: string }) => ({
    ...self,
    hostname: args.hostname,
  }),
  "ports: [Port!]!": async (self, _args: object, call) => {
    if (self.endpointHost === undefined) return self.ports;
    const running = await servicesOf(call.session).attach(call, parentOf(call), call.signal);
    return running.ports.map((port) => portValue(port, "TCP"));
  },
  'endpoint(port: Int, scheme: String = ""): String!': async (
    self,
    args: { port?: number; scheme: string },
    call,
  ) => {
    let ports = self.ports.map(({ port }) => port);
    if (self.endpointHost !== undefined) {
      const running = await servicesOf(call.session).attach(call, parentOf(call), call.signal);
      ports = [...running.ports];
    }
    const port = args.port ?? ports[0];
    if (port === undefined) throw new EngineError("no ports exposed: give a port, or expose one");
    const host = `${self.endpointHost ?? self.hostname}:${port}`;
    return args.scheme === "" ? host : `${args.scheme}://${host}`;
  },
  "start: ID!": async (_self, _args: object, call) => {
    await servicesOf(call.session).attach(call, parentOf(call), call.signal);
    return parentOf(call).id;
  },
  "stop(kill: Boolean = false): ID!": async (_self, args: { kill: boolean }, call) => {
    await servicesOf(call.session).stop(parentOf(call), args.kill);
    return parentOf(call).id;
  },
  "sync: ID!": (_self, _args: object, call) => parentOf(call).id,
};

function parentOf(call: Call): Node {
  const { parent } = call.node.recipe;
  if (!parent) throw new EngineError("a service field without a service");
  return parent;
}
