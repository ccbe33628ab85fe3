import type { Container, Secret, Service } from "@dagger.io/dagger";

import type { ToolRun } from "../core/check.js";
import { SlipwayError } from "../core/errors.js";
import { privateKeyProblem } from "../core/keys.js";
import { lastLines } from "../core/text.js";
import type { Context } from "./context.js";
import { runTool } from "./execution.js";
import { isPlain, withProgram, withRegistry, within, type Login } from "./programs.js";

const CONFIG = "/etc/cosign";
const KEY = "/run/cosign/cosign.key";
const PUBLIC_KEY = "/run/cosign/cosign.pub";

/** Seconds for one call of cosign; all it does is a few requests. */
const LIMIT = 120;

/** Who signs. */
export interface Signer {
  readonly key: Secret;
  /** Password of the key; absent for a key with an empty one. */
  readonly password?: Secret | undefined;
  /** The other half of the key, PEM. */
  readonly publicKey: string;
}

/** An image in a registry, and how to get there. */
export interface Target {
  /** By tag or digest, as the caller spells it. */
  readonly reference: string;
  readonly login?: Login | undefined;
  readonly registry?: Service | undefined;
}

/**
 * Checks a key before anything is run with it, and that its password opens it.
 *
 * @throws SlipwayError USAGE naming all that is missing or wrong; never the key.
 */
export async function signerOf(
  context: Context,
  key: Secret | undefined,
  password: Secret | undefined,
): Promise<Signer> {
  const text = (await key?.plaintext()) ?? "";
  const problem = key ? privateKeyProblem(text) : "there is none: pass --key";
  if (!key || problem !== undefined)
    throw new SlipwayError(
      "USAGE",
      `The signing key (COSIGN_PRIVATE_KEY) cannot be used: ${problem ?? ""}. Nothing was run. \`slipway keys generate\` makes a pair.`,
    );
  const run = await cosign(
    context,
    withKey(base(context), { key, password }),
    ["public-key", `--key=${KEY}`],
    password,
  );
  if (run.exitCode !== 0)
    throw new SlipwayError(
      "USAGE",
      `The password (COSIGN_PASSWORD) does not open the signing key: ${lastLines(run.stderr, 1)}. Nothing was signed.`,
    );
  return { key, password, publicKey: run.stdout };
}

/** Runs a command of cosign that signs; its last argument is the image. */
export async function signing(
  context: Context,
  signer: Signer,
  target: Target,
  args: readonly string[],
  prepare: (container: Container) => Container = (container) => container,
): Promise<ToolRun> {
  const ready = withKey(offline(base(context)), signer);
  const container = prepare(await withRegistry(ready, target));
  return await cosign(
    context,
    container,
    [
      ...args,
      `--key=${KEY}`,
      "--yes",
      `--signing-config=${CONFIG}/signing-config.json`,
      `--trusted-root=${CONFIG}/trusted-root.json`,
      ...plain(target),
      within(target, target.reference),
    ],
    signer.password,
  );
}

/** Runs a command of cosign that verifies; its last argument is the image. */
export async function verifying(
  context: Context,
  publicKey: string,
  target: Target,
  args: readonly string[],
): Promise<ToolRun> {
  const container = await withRegistry(base(context).withNewFile(PUBLIC_KEY, publicKey), target);
  return await cosign(context, container, [
    ...args,
    `--key=${PUBLIC_KEY}`,
    // The signature is checked against the key alone: no public log has it.
    "--insecure-ignore-tlog=true",
    ...plain(target),
    within(target, target.reference),
  ]);
}

function base(context: Context): Container {
  return withProgram(context, "cosign");
}

/** What makes cosign ask no service: neither a log nor a time stamp. */
function offline(container: Container): Container {
  return container
    .withExec(["mkdir", "-p", CONFIG])
    .withExec(["cosign", "signing-config", "create", "--out", `${CONFIG}/signing-config.json`])
    .withExec(["cosign", "trusted-root", "create", "--out", `${CONFIG}/trusted-root.json`]);
}

function withKey(
  container: Container,
  { key, password }: Pick<Signer, "key" | "password">,
): Container {
  const ready = container.withMountedSecret(KEY, key);
  // Without the variable cosign asks a person.
  return password ? ready : ready.withEnvVariable("COSIGN_PASSWORD", "");
}

function plain(target: Target): string[] {
  return isPlain(target, target.reference) ? ["--allow-http-registry"] : [];
}

/** Runs cosign once and never believes an earlier answer: registries change. */
async function cosign(
  context: Context,
  container: Container,
  args: readonly string[],
  password?: Secret,
): Promise<ToolRun> {
  const attempt = `${new Date().toISOString()} ${context.attempt ?? ""}`;
  const { run } = await runTool({ attempt }, container, ["cosign", ...args], {
    timeout: LIMIT,
    version: "",
    ...(password ? { secrets: { COSIGN_PASSWORD: password } } : {}),
  });
  return run;
}
