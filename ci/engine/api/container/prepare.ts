import type { ExecSpec, Mount } from "../../exec/types.js";
import { digestOf } from "../../graph/digest.js";
import type { Call } from "../../session.js";
import { lockVolumes, openVolume, type Volume } from "../cache.js";
import { contentDigest } from "../trees.js";
import type { SecretValue } from "../values.js";
import { environment, ownerOf, treeAt, type ContainerValue } from "./value.js";

/** What one command needs, whether it runs to its end or as a service. */
export interface Prepared {
  readonly spec: Omit<ExecSpec, "aliases">;
  /** Plaintexts to keep out of the output. */
  readonly secrets: readonly Buffer[];
  /** Everything that the outcome depends on. */
  readonly identity: string;
  release(): void;
}

/** Gathers what a command needs: files, variables, secrets, volumes. */
export async function prepare(
  call: Call,
  self: ContainerValue,
  command: readonly string[],
  options: Pick<ExecArgs, "insecureRootCapabilities" | "noInit">,
  signal: AbortSignal,
): Promise<Prepared> {
  const { store } = call.session.engine;
  const files = await self.files(signal);
  const env = Object.fromEntries(environment(self));
  const secrets: Buffer[] = [];
  const secretIdentities: string[] = [];
  const plaintext = async (node: (typeof self.secretVariables)[number]["secret"]) => {
    const secret = await call.session.force<SecretValue>(node, call.client, signal);
    const value = await secret.plaintext();
    secrets.push(value);
    return value;
  };
  const secretEnv: Record<string, string> = {};
  for (const { name, secret } of self.secretVariables) {
    const value = await plaintext(secret);
    secretEnv[name] = value.toString("utf8");
    secretIdentities.push(`${name}=${call.session.engine.secretIdentity(value)}`);
  }
  const mounts: Mount[] = [];
  const mountIdentities: string[] = [];
  const volumes: Volume[] = [];
  for (const mount of self.mounts) {
    const { target } = mount;
    if (mount.kind === "temp") {
      mounts.push({ kind: "temp", target, ...(mount.size !== undefined && { size: mount.size }) });
      mountIdentities.push(`${target} temp ${mount.size ?? ""}`);
    } else if (mount.kind === "cache") {
      const volume = await openVolume(call, self, mount, signal);
      volumes.push(volume);
      mounts.push({ kind: "cache", target, volumePath: volume.path });
      mountIdentities.push(`${target} cache ${volume.key}`);
    } else {
      const tree = treeAt(files, mount);
      const { readOnly } = mount;
      mounts.push({ kind: mount.kind, target, source: tree.snapshot, path: tree.path, readOnly });
      mountIdentities.push(`${target} ${mount.readOnly} ${await contentDigest(store, tree)}`);
    }
  }
  for (const { target, secret, owner, mode } of self.secretMounts) {
    const content = await plaintext(secret);
    const owned = (await ownerOf(call, self, owner, signal)) ?? { uid: 0, gid: 0 };
    mounts.push({ kind: "secret", target, content, mode, ...owned });
    const value = call.session.engine.secretIdentity(content);
    secretIdentities.push(`${target} ${mode} ${owned.uid} ${owned.gid} ${value}`);
  }
  const cwd = self.config.WorkingDir ?? "";
  const spec = {
    rootfs: files.rootfs,
    args: command,
    env: { ...env, ...self.volatile, ...secretEnv },
    cwd: cwd === "" ? "/" : cwd,
    user: self.config.User ?? "",
    mounts,
    insecureRootCapabilities: options.insecureRootCapabilities,
    noInit: options.noInit,
  };
  const identity = digestOf(
    "exec",
    files.rootfs.layers,
    [...command],
    env,
    spec.cwd,
    spec.user,
    mountIdentities,
    secretIdentities,
    self.services.map(({ alias, service }) => [alias, service.digest]),
    options.insecureRootCapabilities,
    options.noInit,
  );
  const release = await lockVolumes(volumes, signal);
  return { spec, secrets, identity, release };
}

export interface ExecArgs {
  args: string[];
  useEntrypoint: boolean;
  stdin: string;
  redirectStdin: string;
  redirectStdout: string;
  redirectStderr: string;
  expect: "SUCCESS" | "FAILURE" | "ANY";
  experimentalPrivilegedNesting: boolean;
  insecureRootCapabilities: boolean;
  expand: boolean;
  noInit: boolean;
}
