import type { Container, Directory, Secret, Service } from "@dagger.io/dagger";

import type { ToolRun } from "../core/check.js";
import { verifierFlags, type Verifier } from "../core/verifier.js";
import type { Context } from "./context.js";
import { runTool } from "./execution.js";
import { request, type Order, type Request } from "./requests.js";
import { withProgram, withRegistry, within, type Login } from "./programs.js";

const CONFIG = "/etc/cosign";
const PUBLIC_KEY = "/run/cosign/cosign.pub";
const ROOT = "/run/cosign/trusted-root.json";

const SECRETS = "/run/variables";

/** Where commands that sign find what they attest. */
export const PREDICATES = "/run/predicates";

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

/** How one of several commands of cosign ended. */
export type Answer = Pick<ToolRun, "exitCode" | "stdout" | "stderr">;

/** A command of cosign that signs something of an image, and what keeps it from writing to the registry. */
export interface Signing {
  readonly command: readonly string[];
  readonly unwritten: string;
}

/**
 * Runs commands of cosign that sign an image. They sign side by side, since to open a key takes
 * most of the time, and what they made is attached in turn, since each changes one list in the
 * registry, until one has failed.
 *
 * @param files what the commands read, in `PREDICATES`.
 * @returns how each ended, up to the one that failed.
 */
export async function signing(
  context: Context,
  { flags, secrets, prepare }: Signer,
  target: Target,
  commands: readonly Signing[],
  files: Directory,
): Promise<Answer[]> {
  const image = within(target, target.reference);
  const own = Object.keys(secrets).map((name) => [name, `${SECRETS}/${name}`] as const);
  const common = { secrets: Object.fromEntries(own), limit: LIMIT };
  const requests = commands.map(({ command, unwritten }, index) => {
    const bundle = `/tmp/bundle-${index}.json`;
    const attach = ["cosign", "attach", "attestation", `--attestation=${bundle}`, image];
    return {
      ...common,
      args: ["cosign", ...command, ...flags, "--yes", unwritten, `--bundle=${bundle}`, image],
      then: { ...common, args: attach },
    };
  });
  const ready = await withRegistry(prepare(base(context)), target);
  const container = Object.entries(secrets).reduce(
    (each, [name, secret]) => each.withMountedSecret(`${SECRETS}/${name}`, secret),
    ready.withMountedDirectory(PREDICATES, files),
  );
  return await severally(context, container, requests, "at once");
}

/**
 * Runs commands of cosign that verify an image, side by side; gives how each ended.
 *
 * @param order `after first`: the others only when the first has not failed.
 */
export async function verifying(
  context: Context,
  verifier: Verifier,
  target: Target,
  commands: readonly (readonly string[])[],
  order: Order = "at once",
): Promise<Answer[]> {
  const root = verifier.kind === "identity" ? verifier.root?.text : undefined;
  const ready = base(context)
    .with((each) => (root === undefined ? each : each.withNewFile(ROOT, root)))
    .with((each) =>
      verifier.kind === "key" ? each.withNewFile(PUBLIC_KEY, verifier.publicKey) : each,
    );
  const common = [
    ...verifierFlags(verifier, { key: PUBLIC_KEY, root: ROOT }),
    within(target, target.reference),
  ];
  return await severally(
    context,
    await withRegistry(ready, target),
    commands.map((command) => ({ args: ["cosign", ...command, ...common], limit: LIMIT })),
    order,
  );
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

/**
 * Runs cosign once and never believes an earlier answer: services change.
 *
 * @param secrets Variables of its environment.
 * @param kept Whether an earlier answer is as good, when it was one: no service was asked.
 */
export async function cosign(
  context: Context,
  container: Container,
  args: readonly string[],
  { secrets, kept = false }: Pick<Signer, "secrets"> & { readonly kept?: boolean },
): Promise<ToolRun> {
  if (kept) {
    const run = await once({}, container, args, secrets);
    if (run.exitCode === 0) return run;
  }
  return await once({ attempt: attemptOf(context) }, container, args, secrets);
}

async function once(
  attempt: Pick<Context, "attempt">,
  container: Container,
  args: readonly string[],
  secrets: Signer["secrets"],
): Promise<ToolRun> {
  const { run } = await runTool(attempt, container, ["cosign", ...args], {
    timeout: LIMIT,
    version: "",
    secrets,
  });
  return run;
}

/** Runs several commands of cosign in one execution. */
async function severally(
  context: Context,
  container: Container,
  commands: readonly Request[],
  order: Order,
): Promise<Answer[]> {
  const answers = await request(container, commands, order, attemptOf(context));
  return answers.filter((answer) => answer !== undefined);
}

function attemptOf({ attempt = "" }: Context): string {
  return `${new Date().toISOString()} ${attempt}`;
}
