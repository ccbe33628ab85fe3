import { HealthCheckError, ServiceExitError } from "../exec/service.js";
import type { Forward, RunningService } from "../exec/types.js";
import { EngineError, ExecFailure } from "../graph/errors.js";
import type { Node } from "../graph/node.js";
import { NotRunError } from "../plan.js";
import type { Call, Fields } from "../session.js";
import { healthCheckOf } from "./container/healthcheck.js";
import { prepare } from "./container/prepare.js";
import { expand, type ContainerValue } from "./container/value.js";
import { bindings, servicesOf, type ServiceValue, type Started } from "./services.js";
import type { PortForward, PortValue } from "./values.js";

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
      const check = healthCheckOf(self);
      const prepared = await prepare(starter, self, command, args, signal);
      const bound = await bindings(starter, self.services, signal).catch((error: unknown) => {
        prepared.release();
        throw error;
      });
      const release = (): void => {
        bound.release();
        prepared.release();
      };
      try {
        const running: RunningService = await events.step(
          `service ${command.join(" ")}`,
          (output) =>
            runner.startService(
              { ...prepared.spec, aliases: bound.aliases },
              check ??
                self.ports.map(({ port, protocol, experimentalSkipHealthcheck }) => ({
                  port,
                  protocol: protocol === "UDP" ? "udp" : "tcp",
                  skipHealthcheck: experimentalSkipHealthcheck,
                })),
              {
                signal: AbortSignal.any([signal, bound.lost]),
                secrets: prepared.secrets,
                onOutput: output,
              },
            ),
          signal,
        );
        const exited = running.exited.then(({ exitCode }) => {
          const { reason } = bound.lost as { reason?: Error };
          release();
          if (reason) return reason.message;
          return exitCode === 0 ? "" : `exit code: ${exitCode}`;
        });
        return {
          ip: running.ip,
          ports: self.ports.map(({ port }) => port),
          exited,
          async stop(kill) {
            await running.stop(kill);
            await exited;
          },
        };
      } catch (error) {
        release();
        if (error instanceof HealthCheckError) {
          const { exitCode, stdout, stderr } = error.ran;
          const context = "health check errored: ";
          throw new ExecFailure(check?.args ?? [], exitCode, stdout, stderr, context);
        }
        if (!(error instanceof ServiceExitError)) throw error;
        throw new ExecFailure(command, error.exit.exitCode, error.exit.tail, "");
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
          services.detach(args.service, upstream);
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
