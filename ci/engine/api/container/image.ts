import { mkdir, mkdtemp, rename, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join, posix } from "node:path";
import { readFile } from "node:fs/promises";
import { digestOf } from "../../graph/digest.js";
import { EngineError } from "../../graph/errors.js";
import type { Node } from "../../graph/node.js";
import type { RegistryClient } from "../../images/index.js";
import type {
  Credentials,
  ExportSettings,
  ImageConfig,
  ImageVariant,
  OciImageConfig,
  Platform,
} from "../../images/types.js";
import { NotRunError } from "../../plan.js";
import type { Call, Fields } from "../../session.js";
import { placeOf, pour } from "../../store/place.js";
import { lazy } from "../lazy.js";
import { containerService } from "../service.js";
import { readTree, treeOf } from "../trees.js";
import type { FileValue, SecretValue } from "../values.js";
import { expand, variablesOf, type ContainerValue } from "./value.js";

interface PublishArgs {
  platformVariants: Node[];
  forcedCompression?: string;
  mediaTypes: string;
}

/** A client with the container's own credentials, and the user's Docker ones behind them. */
async function registryClient(
  call: Call,
  self: ContainerValue,
  signal: AbortSignal,
): Promise<RegistryClient> {
  const docker = await dockerCredentials();
  const own = new Map<string, Credentials>();
  for (const { address, username, secret } of self.registryAuth) {
    const value = await call.session.force<SecretValue>(secret, call.client, signal);
    const password = (await value.plaintext()).toString("utf8");
    own.set(registryHost(address), { username, password });
  }
  const { RegistryClient: Client } = await import("../../images/index.js");
  return new Client({
    mirrors: { ...call.session.engine.options.mirrors },
    credentials: (registry) => own.get(registry) ?? docker.get(registry),
  });
}

/** `registry.example/team/app` and `https://registry.example` are credentials of the same host. */
function registryHost(address: string): string {
  const bare = address.replace(/^https?:\/\//, "").split("/")[0] ?? "";
  return /[.:]|^localhost$/.test(bare) && bare !== "index.docker.io" ? bare : "docker.io";
}

/** User names and passwords in the user's Docker configuration; credential helpers are not asked. */
async function dockerCredentials(): Promise<Map<string, Credentials>> {
  const folder = process.env.DOCKER_CONFIG ?? join(homedir(), ".docker");
  const text = await readFile(join(folder, "config.json"), "utf8").catch(() => "{}");
  const { auths = {} } = JSON.parse(text) as { auths?: Record<string, { auth?: string }> };
  const found = new Map<string, Credentials>();
  for (const [address, { auth }] of Object.entries(auths)) {
    const [username, ...password] = Buffer.from(auth ?? "", "base64")
      .toString("utf8")
      .split(":");
    if (username) found.set(registryHost(address), { username, password: password.join(":") });
  }
  return found;
}

/** The container as its image says it is. Only exposing a port by hand makes it one of a service. */
function fromImage(
  self: ContainerValue,
  config: ImageConfig,
  image: { config: OciImageConfig; ref: string },
): ContainerValue {
  const { os, architecture, variant } = image.config;
  return {
    ...self,
    config,
    platform: { os, architecture, ...(variant && { variant }) },
    imageRef: image.ref,
  };
}

/** Of what the container had before stays what is collected by name; all else is the image's. */
function merged(before: ImageConfig, { config: image = {} }: OciImageConfig): ImageConfig {
  const variables = variablesOf(before);
  for (const [name, value] of variablesOf(image)) variables.set(name, value);
  const collected = {
    Env: [...variables].map(([name, value]) => `${name}=${value}`),
    Labels: { ...before.Labels, ...image.Labels },
    ExposedPorts: { ...before.ExposedPorts, ...image.ExposedPorts },
    OnBuild: [...(before.OnBuild ?? []), ...(image.OnBuild ?? [])],
    Shell: image.Shell ?? before.Shell ?? [],
  };
  const some = Object.entries(collected).filter(([, value]) => Object.keys(value).length > 0);
  return { ...image, ...Object.fromEntries(some) };
}

async function from(self: ContainerValue, address: string, call: Call): Promise<ContainerValue> {
  const { store, events } = call.session.engine;
  const { parseRef, pull, resolve } = await import("../../images/index.js");
  const client = await registryClient(call, self, call.signal);
  let resolved;
  try {
    resolved = await resolve(
      client,
      address,
      self.platform,
      call.session.engine.store,
      call.signal,
    );
  } catch (error) {
    await client.close();
    if (call.signal.aborted) throw error;
    const { canonical } = parseRef(address);
    throw new EngineError(
      `failed to resolve image ${JSON.stringify(canonical)} (platform: "${self.platform.os}/${self.platform.architecture}"): ${(error as Error).message}`,
    );
  }
  const { canonical } = parseRef(address);
  const ref = canonical.includes("@") ? canonical : `${canonical}@${resolved.digest}`;
  return {
    ...fromImage(self, merged(self.config, resolved.config), { config: resolved.config, ref }),
    files: lazy(call, async (signal) => {
      const image = await events.step(
        `pull ${address}`,
        () => pull(client, ref, self.platform, store, signal),
        signal,
      );
      await client.close();
      return { rootfs: image.snapshot, trees: new Map() };
    }),
  };
}

/** The container, and its variants for other platforms, as images. */
async function variants(
  self: ContainerValue,
  args: PublishArgs,
  call: Call,
): Promise<ImageVariant[]> {
  const others = await Promise.all(
    args.platformVariants.map((node) =>
      call.session.force<ContainerValue>(node, call.client, call.signal),
    ),
  );
  // With variants, an empty container only carries them.
  const all =
    others.length > 0 && self.imageRef === "" && isScratch(self) ? others : [self, ...others];
  return Promise.all(
    all.map(async (container) => ({
      snapshot: (await container.files(call.signal)).rootfs,
      config: { ...platformFields(container.platform), config: written(container) },
      annotations: { ...container.annotations },
    })),
  );
}

/** The configuration as it is written: what is empty is left out, as Dagger does. */
function written({ config }: ContainerValue): ContainerValue["config"] {
  const isEmpty = (value: unknown) =>
    value === null || (Array.isArray(value) && value.length === 0);
  return Object.fromEntries(Object.entries(config).filter(([, value]) => !isEmpty(value)));
}

function isScratch(self: ContainerValue): boolean {
  return Object.keys(self.config).length === 0;
}

function platformFields({ os, architecture, variant }: Platform) {
  return { os, architecture, ...(variant && { variant }) };
}

function settings(args: PublishArgs, signal: AbortSignal): ExportSettings {
  const compression = (args.forcedCompression ?? "gzip").toLowerCase();
  if (compression !== "gzip" && compression !== "uncompressed") {
    throw new EngineError(
      `forcedCompression ${args.forcedCompression ?? ""} is not implemented by the embedded engine (Gzip and Uncompressed are); it works on Dagger's engine`,
    );
  }
  return {
    compression: compression === "gzip" ? "gzip" : "none",
    mediaTypes: /^docker/i.test(args.mediaTypes) ? "docker" : "oci",
    signal,
  };
}

/** Writes the archive beside its place and moves it there, so that no half archive is ever found. */
async function writeTarball(
  self: ContainerValue,
  args: PublishArgs,
  call: Call,
  target: string,
): Promise<void> {
  const { imageTarball } = await import("../../images/index.js");
  const built = await variants(self, args, call);
  await mkdir(posix.dirname(target), { recursive: true });
  const place = await placeOf(target);
  const folder = place.isStream
    ? await call.session.engine.scratchFolder()
    : await mkdtemp(join(posix.dirname(place.path), ".slipway-"));
  try {
    const file = join(folder, "image.tar");
    await imageTarball(call.session.engine.store, file, built, settings(args, call.signal));
    if (place.isStream) await pour(file, place, call.signal);
    else await rename(file, place.path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const PLATFORM_ARGS =
  "platformVariants: [ID!] = [], forcedCompression: ImageLayerCompression, mediaTypes: ImageMediaTypes = OCIMediaTypes";

/** Fields that bring images in and out. */
export const imageFields: Fields<ContainerValue> = {
  "from(address: String!): Container!": (self, args: { address: string }, call) =>
    from(self, args.address, call),
  [`publish(address: String!, ${PLATFORM_ARGS}): String!`]: async (
    self: ContainerValue,
    args: PublishArgs & { address: string },
    call: Call,
  ) => {
    const { store, events, options } = call.session.engine;
    if (options.plan) throw new NotRunError();
    const { pushImage } = await import("../../images/index.js");
    const built = await variants(self, args, call);
    const client = await registryClient(call, self, call.signal);
    try {
      const pushed = await events.step(
        `publish ${args.address}`,
        () => pushImage(client, store, args.address, built, settings(args, call.signal)),
        call.signal,
      );
      return pushed.ref;
    } finally {
      await client.close();
    }
  },
  [`asTarball(${PLATFORM_ARGS}): File!`]: (
    self: ContainerValue,
    args: PublishArgs,
    call: Call,
  ): FileValue => ({
    tree: lazy(call, async (signal) => {
      const { store } = call.session.engine;
      const { imageTarball } = await import("../../images/index.js");
      const built = await variants(self, args, call);
      const id = digestOf(
        "tarball",
        JSON.stringify(built),
        args.forcedCompression,
        args.mediaTypes,
      );
      const snapshot = await store.mutate(
        { layers: [] },
        id,
        (root) => imageTarball(store, join(root, "image.tar"), built, settings(args, signal)),
        signal,
      );
      return { snapshot, path: "/image.tar" };
    }),
  }),
  [`export(path: String!, ${PLATFORM_ARGS}, expand: Boolean = false): String!`]: async (
    self: ContainerValue,
    args: PublishArgs & { path: string; expand: boolean },
    call: Call,
  ) => {
    const target = posix.resolve(call.client.cwd, expand(self, args.path, args.expand));
    const found = await stat(target).catch(() => undefined);
    if (found?.isDirectory()) {
      throw new EngineError(`export: ${args.path} is a directory; give the path of a file`);
    }
    await writeTarball(self, args, call, target);
    return target;
  },
  'import(source: ID!, tag: String = ""): Container!': async (
    self,
    args: { source: Node; tag: string },
    call,
  ) => {
    const { store } = call.session.engine;
    const { importTarball } = await import("../../images/index.js");
    const tree = await treeOf(call, args.source);
    const image = await readTree(store, tree, (host) =>
      importTarball(store, host, self.platform, {
        ...(args.tag !== "" && { tag: args.tag }),
        signal: call.signal,
      }),
    );
    return {
      ...fromImage(self, image.config.config ?? {}, image),
      imageRef: "",
      files: () => Promise.resolve({ rootfs: image.snapshot, trees: new Map() }),
    };
  },
  "asService(args: [String!] = [], useEntrypoint: Boolean = false, insecureRootCapabilities: Boolean = false, expand: Boolean = false, noInit: Boolean = false): Service!":
    (self, args: Parameters<typeof containerService>[2], call) =>
      containerService(call, self, args),
};
