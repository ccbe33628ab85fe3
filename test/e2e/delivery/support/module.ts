import { randomUUID } from "node:crypto";

import { dag, ExecError, type Secret } from "@dagger.io/dagger";

import type { Finding } from "../../../../src/core/delivery/validation/findings.js";
import type { Slipway } from "../../../../src/index.js";

/** What a function is called with, besides the cluster. */
export interface Arguments {
  readonly reference?: string;
  /** Of `deployCanary`. */
  readonly until?: number;
  /** Of `promote`. */
  readonly digest?: string;
  /** Of `rollback`. */
  readonly targetTag?: string;
  readonly skipVerification?: boolean;
  /** Of `watch`. */
  readonly seconds?: number;
  readonly username?: string;
  readonly password?: string;
  readonly metricsToken?: string;
}

/** How a function ended. */
export interface Ended {
  /** What `slipway` exits with. */
  readonly code: number;
  /** What a person reads of it. */
  readonly text: string;
  readonly release: number;
  readonly state: string;
  readonly reference: string;
  readonly json: string;
}

/** Who does it, for the records. */
const BY = "the tests";

/**
 * The module's functions, called in this process: an engine starts one for each module, which takes
 * seconds that the cases are not about. Those that are about commands start real ones.
 */
const FUNCTIONS = {
  deploy: (module: Slipway, { reference, username, password, metricsToken }: Given, kube: Secret) =>
    module.deploy(
      ...([reference, kube, undefined, undefined, username, password] as const),
      ...([undefined, undefined, metricsToken, BY] as const),
    ),
  deployCanary: (module: Slipway, { reference, until }: Given, kube: Secret) =>
    module.deployCanary(
      ...([reference, until, kube] as const),
      ...([undefined, undefined, undefined, undefined, undefined, undefined, undefined] as const),
      BY,
    ),
  promote: (module: Slipway, { digest }: Given, kube: Secret) =>
    module.promote(
      ...([digest, kube] as const),
      ...([undefined, undefined, undefined, undefined, undefined, undefined, undefined] as const),
      BY,
    ),
  rollback: (module: Slipway, { targetTag, skipVerification }: Given, kube: Secret) =>
    module.rollback(
      ...([targetTag, skipVerification, kube] as const),
      ...([undefined, undefined, undefined, undefined, undefined, undefined] as const),
      BY,
    ),
  abort: (module: Slipway, _: Given, kube: Secret) => module.abort(kube, undefined, BY),
  watch: (module: Slipway, { seconds }: Given, kube: Secret) =>
    module.watch(
      ...([seconds, kube] as const),
      ...([undefined, undefined, undefined, undefined, undefined, undefined, undefined] as const),
      BY,
    ),
  status: (module: Slipway, _: Given, kube: Secret) => module.status(kube),
  history: (module: Slipway, _: Given, kube: Secret) => module.history(kube),
} as const;

type Given = Omit<Arguments, "password" | "metricsToken"> & {
  readonly password?: Secret;
  readonly metricsToken?: Secret;
};

export type FunctionName = keyof typeof FUNCTIONS;

/** The module for a project's folder as it is now, and a registry on loopback. */
export async function moduleFor(folder: string, registry: string): Promise<Slipway> {
  const { Slipway } = await import("../../../../src/index.js");
  const port = Number(registry.split(":").at(-1));
  // A session has one answer for one question: the pattern, which excludes nothing, is new.
  const source = dag.host().directory(folder, { exclude: [randomUUID()] });
  const service = dag.host().service([{ frontend: port, backend: port }], { host: "127.0.0.1" });
  const set = ["python.version=3.13"];
  return new Slipway(source, ".", set, [], undefined, undefined, undefined, service);
}

/** Calls a function; an error is an answer too. */
export async function callModule(
  module: Slipway,
  name: FunctionName,
  { password, metricsToken, ...given }: Arguments,
  kubeconfig: string,
): Promise<Ended> {
  const secret = (text: string): Secret => dag.setSecret(randomUUID(), text);
  const args = {
    ...given,
    ...(password !== undefined && { password: secret(password) }),
    ...(metricsToken !== undefined && { metricsToken: secret(metricsToken) }),
  };
  try {
    const { table, ...rest } = await FUNCTIONS[name](module, args, secret(kubeconfig));
    return { ...rest, code: 0, text: table };
  } catch (error) {
    const nothing = { release: 0, state: "", reference: "", json: "" };
    if (error instanceof ExecError) return { ...nothing, code: error.exitCode, text: error.stderr };
    // A function that throws otherwise ends the command with 3.
    return { ...nothing, code: 3, text: error instanceof Error ? error.message : String(error) };
  }
}

/** What `validate` finds wrong with a deployment of an image, as `check: found`. */
export async function complaintsOf(
  module: Slipway,
  reference: string,
  kubeconfig: string,
): Promise<string[]> {
  const kube = dag.setSecret(randomUUID(), kubeconfig);
  const { json } = await module.validate(reference, ["deploy"], kube);
  const { findings } = JSON.parse(json) as { findings: Finding[] };
  return findings.filter(({ ok }) => !ok).map(({ check, found }) => `${check}: ${found}`);
}
