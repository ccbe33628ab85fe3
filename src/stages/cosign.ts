import type { Container, Secret, Service } from "@dagger.io/dagger";

import type { ToolRun } from "../core/check.js";
import { verifierFlags, type Verifier } from "../core/verifier.js";
import type { Context } from "./context.js";
import { runTool } from "./execution.js";
import { isPlain, withProgram, withRegistry, within, type Login } from "./programs.js";

const CONFIG = "/etc/cosign";
const PUBLIC_KEY = "/run/cosign/cosign.pub";
const ROOT = "/run/cosign/trusted-root.json";

/** Seconds for one call of cosign; all it does is a few requests. */
const LIMIT = 120;

/** Who signs. */
export interface Signer {
  /** How these signatures are recognized. */
  readonly verifier: Verifier;
  /** Address of the key; absent unless it is in a KMS. */
  readonly keyReference?: string | undefined;
  /** How a sentence names the signer: "with this key". */
  readonly named: string;
  /** Flags of cosign's that say who signs, and by which services. */
  readonly flags: readonly string[];
  /** Variables of cosign's own environment. */
  readonly secrets: Readonly<Record<string, Secret>>;
  /** Gives a container what the flags name. */
  readonly prepare: (container: Container) => Container;
}

/** An image in a registry, and how to get there. */
export interface Target {
  /** By tag or digest, as the caller spells it. */
  readonly reference: string;
  readonly login?: Login | undefined;
  readonly registry?: Service | undefined;
}

/** Runs a command of cosign that signs; its last argument is the image. */
export async function signing(
  context: Context,
  { flags, secrets, prepare }: Signer,
  target: Target,
  args: readonly string[],
  files: (container: Container) => Container = (container) => container,
): Promise<ToolRun> {
  const container = files(await withRegistry(prepare(base(context)), target));
  return await cosign(
    context,
    container,
    [...args, ...flags, "--yes", ...plain(target), within(target, target.reference)],
    secrets,
  );
}

/** Runs a command of cosign that verifies; its last argument is the image. */
export async function verifying(
  context: Context,
  verifier: Verifier,
  target: Target,
  args: readonly string[],
): Promise<ToolRun> {
  const root = verifier.kind === "identity" ? verifier.root?.text : undefined;
  const ready = base(context)
    .with((each) => (root === undefined ? each : each.withNewFile(ROOT, root)))
    .with((each) =>
      verifier.kind === "key" ? each.withNewFile(PUBLIC_KEY, verifier.publicKey) : each,
    );
  return await cosign(context, await withRegistry(ready, target), [
    ...args,
    ...verifierFlags(verifier, { key: PUBLIC_KEY, root: ROOT }),
    ...plain(target),
    within(target, target.reference),
  ]);
}

/** A container with cosign. */
export function base(context: Context): Container {
  return withProgram(context, "cosign");
}

/** What makes cosign ask no service: neither a log nor a time stamp. */
export function offline(container: Container): Container {
  return container
    .withExec(["mkdir", "-p", CONFIG])
    .withExec(["cosign", "signing-config", "create", "--out", `${CONFIG}/signing-config.json`])
    .withExec(["cosign", "trusted-root", "create", "--out", `${CONFIG}/trusted-root.json`]);
}

function plain(target: Target): string[] {
  return isPlain(target, target.reference) ? ["--allow-http-registry"] : [];
}

/**
 * Runs cosign once and never believes an earlier answer: registries change.
 *
 * @param secrets Variables of its environment.
 */
export async function cosign(
  context: Context,
  container: Container,
  args: readonly string[],
  secrets: Readonly<Record<string, Secret>> = {},
): Promise<ToolRun> {
  const attempt = `${new Date().toISOString()} ${context.attempt ?? ""}`;
  const { run } = await runTool({ attempt }, container, ["cosign", ...args], {
    timeout: LIMIT,
    version: "",
    secrets,
  });
  return run;
}
