import { dag, type Secret, type Service } from "@dagger.io/dagger";

import { SlipwayError } from "../core/errors.js";
import type { Model } from "../core/attestations/predicates.js";
import { readMove, type AliasMove, type Moved } from "../core/model/alias.js";
import { attestedConfig, drift } from "../core/model/attested.js";
import { configuredModel, pin } from "../core/model/pin.js";
import { chosenVersion, wantedOf } from "../core/model/resolve.js";
import { trackingOf, type Tracking } from "../core/model/tracking.js";
import type { PinnedModel, RegistryFacts, ServedModel } from "../core/model/types.js";
import { lastLines } from "../core/text.js";
import type { Context } from "./context.js";
import { HELPERS, newAttempt, runTool } from "./execution.js";
import { withProgram } from "./programs.js";

/** Under this name containers reach a model registry on the caller's machine. */
const ALIAS = "models";

const REQUEST = "/run/model-registry";

/** Seconds for all that is asked in one execution, and to repeat a request while the server is away. */
const LIMIT = 120;
const PATIENCE = 15;

/** Seconds and bytes for reading an artifact to know its digest. */
const DIGEST_LIMIT = 600;
const LARGEST = 2 * 1024 ** 3;

/** How the model registry is reached. */
export interface ModelAccess {
  /** In place of model.tracking. */
  readonly trackingUri?: string | undefined;
  /** A token, or user:password. */
  readonly token?: Secret | undefined;
  /** In place of a token. */
  readonly username?: string | undefined;
  readonly password?: Secret | undefined;
  /** The registry where it answers on the caller's own loopback alone. */
  readonly service?: Service | undefined;
}

/** What matters to which version is taken. */
export interface Wanting {
  /** What serves now: the champion of the gates. */
  readonly live?: ServedModel | undefined;
  /** The version that the image was released with: that one is taken, and no other. */
  readonly attested?: Model | undefined;
}

/**
 * The version of the model that the configuration means, looked up once: by number, alias or legacy
 * stage, READY, and as the gates want it. Never from a cache. Of an image that was released with a
 * version it is that one, wherever an alias points by now; that is then a warning.
 *
 * @returns undefined for a service without a model, and where neither a registry nor a version is configured.
 * @throws SlipwayError MODEL saying what is wrong with it; USAGE for an address that cannot be asked.
 */
export async function resolveModel(
  context: Context,
  access: ModelAccess,
  { live, attested }: Wanting = {},
): Promise<PinnedModel | undefined> {
  const { model: configured } = context.config;
  if (!configured.enabled) return undefined;
  const model = attested ? attestedConfig(configured, attested) : configured;
  const how = attested && ({ how: "attested" } as const);
  const tracking = trackingFor(context, access);
  if (!tracking) {
    const found = configuredModel(model);
    return found && { ...found, ...how };
  }
  const { versions } = wantedOf(model, live);
  const facts = await ask<RegistryFacts>(context, access, tracking, LIMIT, {
    facts: { ...wantedOf(configured, live), versions },
  });
  const known = { live, tracking: tracking.uri };
  const { version, digest } = chosenVersion(model, facts, known);
  const read = digest === undefined ? await artifact(context, access, tracking, version) : {};
  const pinned = pin(model, facts, { ...known, ...read });
  const drifted = attested ? drift(configured, facts, attested) : [];
  return { ...pinned, ...how, warnings: [...tracking.warnings, ...pinned.warnings, ...drifted] };
}

/**
 * Moves model.moveAlias to a version that serves all requests and is well; after a rollback that is the
 * earlier one again. Without that key, or without a registry, nothing is moved.
 *
 * @throws SlipwayError MODEL when the registry refuses.
 */
export async function moveAlias(
  context: Context,
  access: ModelAccess,
  { name, version, how }: PinnedModel,
): Promise<Moved> {
  const alias = context.config.model.moveAlias;
  const tracking = trackingFor(context, access);
  if (alias === undefined || how === "configured" || !tracking) return { moved: false };
  const move: AliasMove = { name, alias, version };
  return readMove(move, await ask<unknown>(context, access, tracking, LIMIT, { alias: move }));
}

async function artifact(
  context: Context,
  access: ModelAccess,
  tracking: Tracking,
  version: string,
): Promise<{ digest?: string; warning?: string }> {
  const { name } = context.config.model;
  const request = { digest: { name, version, limit: LARGEST } };
  const read = await ask<{ digest?: string; problem?: string }>(
    context,
    access,
    tracking,
    DIGEST_LIMIT,
    request,
  );
  if (read.digest !== undefined) return { digest: read.digest };
  return {
    warning: `the digest of version ${version} of ${name} is not known: ${read.problem ?? ""}. Whoever registers it can tag it digest=sha256:…`,
  };
}

function trackingFor({ config }: Context, access: ModelAccess): Tracking | undefined {
  const uri = access.trackingUri ?? config.model.tracking;
  if (uri === undefined || uri === "") return undefined;
  return trackingOf(uri, {
    alias: access.service && ALIAS,
    credentials: access.token !== undefined || access.password !== undefined,
  });
}

/** Asks in a container of its own; what it answers is never kept, and secrets are no arguments. */
async function ask<T>(
  context: Context,
  { token, username, password, service }: ModelAccess,
  { base, host, uri }: Tracking,
  limit: number,
  request: Readonly<Record<string, unknown>>,
): Promise<T> {
  const whole = { base, host: host ?? null, patience: PATIENCE, ...request };
  const file = dag.directory().withNewFile("request.json", JSON.stringify(whole));
  const container = withProgram(context)
    .with((each) => (service ? each.withServiceBinding(ALIAS, service) : each))
    .with((each) => (username ? each.withEnvVariable("MLFLOW_TRACKING_USERNAME", username) : each))
    .withMountedDirectory(REQUEST, file);
  const { run } = await runTool(
    { attempt: newAttempt() },
    container,
    ["python3", `${HELPERS}/model_registry.py`, `${REQUEST}/request.json`],
    {
      ...{ timeout: limit, version: "" },
      secrets: {
        ...(token && { MLFLOW_TRACKING_TOKEN: token }),
        ...(password && { MLFLOW_TRACKING_PASSWORD: password }),
      },
    },
  );
  if (run.exitCode === 0) return JSON.parse(run.stdout) as T;
  throw new SlipwayError(
    "MODEL",
    `The model registry at ${uri} was not asked: ${run.exitCode === 124 ? `it took longer than ${limit} s` : lastLines(run.stderr, 2)}.`,
  );
}
