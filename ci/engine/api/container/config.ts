import { posix } from "node:path";
import { EngineError } from "../../graph/errors.js";
import type { Node } from "../../graph/node.js";
import type { ImageConfig } from "../../images/types.js";
import type { Fields } from "../../session.js";
import type { PortValue } from "../values.js";
import { healthcheck, healthcheckConfig, type HealthcheckArgs } from "./healthcheck.js";
import { containerPath, environment, expand, withConfig, type ContainerValue } from "./value.js";

/** Fields that only read or change the configuration: nothing of them runs anything. */
export const configFields: Fields<ContainerValue> = {
  "platform: Platform!": (self) => {
    const { os, architecture, variant } = self.platform;
    return [os, architecture, variant].filter(Boolean).join("/");
  },
  "imageRef: String!": (self) => {
    if (self.imageRef !== "") return self.imageRef;
    throw new EngineError(
      "Image reference can only be retrieved immediately after the 'Container.From' call. Error in fetching imageRef as the container image is changed",
    );
  },

  "user: String!": (self) => self.config.User ?? "",
  "withUser(name: String!): Container!": (self, args: { name: string }) =>
    withConfig(self, { User: args.name }),
  "withoutUser: Container!": (self) => withConfig(self, { User: "" }),

  "workdir: String!": (self) => self.config.WorkingDir ?? "",
  "withWorkdir(path: String!, expand: Boolean = false): Container!": (
    self,
    args: { path: string; expand: boolean },
  ) => withConfig(self, { WorkingDir: workdir(self, expand(self, args.path, args.expand)) }),
  "withoutWorkdir: Container!": (self) => withConfig(self, { WorkingDir: "" }),

  "entrypoint: [String!]!": (self) => self.config.Entrypoint ?? [],
  "withEntrypoint(args: [String!]!, keepDefaultArgs: Boolean = false): Container!": (
    self,
    args: { args: string[]; keepDefaultArgs: boolean },
  ) => withEntrypoint(self, args.args, args.keepDefaultArgs),
  "withoutEntrypoint(keepDefaultArgs: Boolean = false): Container!": (
    self,
    args: { keepDefaultArgs: boolean },
  ) => withEntrypoint(self, null, args.keepDefaultArgs),
  "defaultArgs: [String!]!": (self) => self.config.Cmd ?? [],
  "withDefaultArgs(args: [String!]!): Container!": (self, args: { args: string[] }) => ({
    ...withConfig(self, { Cmd: args.args }),
    ownDefaultArgs: true,
  }),
  "withoutDefaultArgs: Container!": (self) => ({
    ...withConfig(self, { Cmd: null }),
    ownDefaultArgs: false,
  }),

  "envVariables: [EnvVariable!]!": (self) =>
    [...environment(self)].map(([name, value]) => ({ name, value })),
  "envVariable(name: String!): String": (self, args: { name: string }) =>
    environment(self).get(args.name) ?? null,
  "withEnvVariable(name: String!, value: String!, expand: Boolean = false): Container!": (
    self,
    args: { name: string; value: string; expand: boolean },
  ) => withVariables(self, environment(self).set(args.name, expand(self, args.value, args.expand))),
  "withoutEnvVariable(name: String!): Container!": (self, args: { name: string }) => {
    const variables = environment(self);
    variables.delete(args.name);
    return withVariables(self, variables);
  },
  "withVolatileVariable(name: String!, value: String!): Container!": (
    self,
    args: { name: string; value: string },
  ) => ({ ...self, volatile: { ...self.volatile, [args.name]: args.value } }),
  "withoutVolatileVariable(name: String!): Container!": (self, args: { name: string }) => ({
    ...self,
    volatile: omit(self.volatile, args.name),
  }),
  "withSecretVariable(name: String!, secret: ID!): Container!": (
    self,
    args: { name: string; secret: Node },
  ) => ({
    ...self,
    secretVariables: [
      ...self.secretVariables.filter(({ name }) => name !== args.name),
      { name: args.name, secret: args.secret },
    ],
    imageRef: "",
  }),
  "withoutSecretVariable(name: String!): Container!": (self, args: { name: string }) => ({
    ...self,
    secretVariables: self.secretVariables.filter(({ name }) => name !== args.name),
  }),

  "labels: [Label!]!": (self) =>
    Object.entries(self.config.Labels ?? {}).map(([name, value]) => ({ name, value })),
  "label(name: String!): String": (self, args: { name: string }) =>
    self.config.Labels?.[args.name] ?? null,
  "withLabel(name: String!, value: String!): Container!": (
    self,
    args: { name: string; value: string },
  ) => withConfig(self, { Labels: { ...self.config.Labels, [args.name]: args.value } }),
  "withoutLabel(name: String!): Container!": (self, args: { name: string }) =>
    withConfig(self, { Labels: omit(self.config.Labels ?? {}, args.name) }),
  "withAnnotation(name: String!, value: String!): Container!": (
    self,
    args: { name: string; value: string },
  ) => ({ ...self, annotations: { ...self.annotations, [args.name]: args.value }, imageRef: "" }),
  "withoutAnnotation(name: String!): Container!": (self, args: { name: string }) => ({
    ...self,
    annotations: omit(self.annotations, args.name),
    imageRef: "",
  }),

  "exposedPorts: [Port!]!": (self) => exposedPorts(self),
  "withExposedPort(port: Int!, protocol: NetworkProtocol = TCP, description: String, experimentalSkipHealthcheck: Boolean = false): Container!":
    (self, args: Omit<PortValue, "description"> & { description?: string }) =>
      withExposedPort(self, { ...args, description: args.description ?? null }),
  "withoutExposedPort(port: Int!, protocol: NetworkProtocol = TCP): Container!": (
    self,
    args: { port: number; protocol: "TCP" | "UDP" },
  ) => {
    const ports = self.ports.filter((port) => portName(port) !== portName(args));
    // With the one go all that an image exposed, as in Dagger.
    const ExposedPorts = Object.fromEntries(ports.map((port) => [portName(port), {}]));
    return { ...withConfig(self, { ExposedPorts }), ports };
  },

  "dockerHealthcheck: HealthcheckConfig": (self) => healthcheckConfig(self.config),
  "withDockerHealthcheck(args: [String!]!, shell: Boolean, interval: String, timeout: String, startPeriod: String, startInterval: String, retries: Int): Container!":
    (self, args: HealthcheckArgs) => withConfig(self, { Healthcheck: healthcheck(args) }),
  "withoutDockerHealthcheck: Container!": (self) => ({
    ...self,
    config: omit(self.config, "Healthcheck"),
    imageRef: "",
  }),

  "withRegistryAuth(address: String!, username: String!, secret: ID!): Container!": (
    self,
    args: { address: string; username: string; secret: Node },
  ) => ({
    ...self,
    registryAuth: [...self.registryAuth.filter(({ address }) => address !== args.address), args],
  }),
  "withoutRegistryAuth(address: String!): Container!": (self, args: { address: string }) => ({
    ...self,
    registryAuth: self.registryAuth.filter(({ address }) => address !== args.address),
  }),
  "withServiceBinding(alias: String!, service: ID!): Container!": (
    self,
    args: { alias: string; service: Node },
  ) => ({ ...self, services: [...self.services, args], imageRef: "" }),
  "withError(err: String!): Container!": (self, args: { err: string }) => {
    if (args.err !== "") throw new EngineError(args.err);
    return self;
  },
};

/** An absolute path stays as it was given. */
function workdir(self: ContainerValue, path: string): string {
  return posix.isAbsolute(path) ? path : containerPath(self, path);
}

/** What a Dockerfile says of its image that no field of the API does. */
export function dockerImage(
  self: ContainerValue,
  args: { config?: Partial<ImageConfig>; volumes?: readonly string[] },
): ContainerValue {
  const volumes = Object.fromEntries((args.volumes ?? []).map((path) => [path, {}]));
  return withConfig(self, {
    ...args.config,
    ...(args.volumes && { Volumes: { ...self.config.Volumes, ...volumes } }),
  });
}

function withEntrypoint(self: ContainerValue, args: string[] | null, keep: boolean) {
  return withConfig(self, { Entrypoint: args, ...(!keep && { Cmd: null }) });
}

function withVariables(self: ContainerValue, variables: Map<string, string>): ContainerValue {
  return withConfig(self, { Env: [...variables].map(([name, value]) => `${name}=${value}`) });
}

function withExposedPort(self: ContainerValue, added: PortValue): ContainerValue {
  const known = self.ports.some((port) => portName(port) === portName(added));
  const ports = known
    ? self.ports.map((port) => (portName(port) === portName(added) ? added : port))
    : [...self.ports, added];
  const ExposedPorts = { ...self.config.ExposedPorts, [portName(added)]: {} };
  return { ...withConfig(self, { ExposedPorts }), ports };
}

/** The ports of the configuration: what was said of them when they were exposed by hand, else the bare port. */
function exposedPorts(self: ContainerValue): PortValue[] {
  return Object.keys(self.config.ExposedPorts ?? {}).map((name): PortValue => {
    const [port, protocol] = name.split("/");
    return (
      self.ports.find((known) => portName(known) === name) ?? {
        port: Number(port),
        protocol: protocol === "udp" ? "UDP" : "TCP",
        description: null,
        experimentalSkipHealthcheck: false,
      }
    );
  });
}

/** As it stands in an image's configuration. */
function portName({ port, protocol }: Pick<PortValue, "port" | "protocol">): string {
  return `${port}/${protocol.toLowerCase()}`;
}

function omit<T>(record: Readonly<Record<string, T>>, name: string): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter(([key]) => key !== name));
}
