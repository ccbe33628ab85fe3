import type { Config } from "../config/schema.js";
import { SlipwayError } from "../errors.js";
import { nearest } from "../nearest.js";
import {
  readMetrics,
  readRegistered,
  readVersion,
  sameStage,
  taggedDigest,
  type Metrics,
  type Registered,
  type Version,
} from "./registry.js";
import type { How, RegistryFacts, ServedModel } from "./types.js";

type ModelConfig = Config["model"];

/** What the registry is asked for, all at once. */
export interface Wanted {
  readonly name: string;
  readonly versions: readonly string[];
  readonly aliases: readonly string[];
  readonly stages: readonly string[];
  /** A version of another model, that serves now. */
  readonly champion?: ServedModel;
}

/** What beside the configuration matters to which version is taken. */
export interface Known {
  /** What serves now; it may be of another model. */
  readonly live?: ServedModel | undefined;
  /** Where the registry is, for messages. */
  readonly tracking: string;
}

/** What has to be known of the registry to pin the version that the configuration means. */
export function wantedOf(model: ModelConfig, live?: ServedModel): Wanted {
  const { name, version, alias, stage, moveAlias } = model;
  const byName = version === undefined;
  const isOther = live !== undefined && live.name !== name;
  return {
    name,
    versions: [version, isOther ? undefined : live?.version].filter((each) => each !== undefined),
    aliases: [byName ? (alias ?? stage) : undefined, moveAlias].filter(
      (each) => each !== undefined,
    ),
    stages: byName && alias === undefined ? [stage] : [],
    ...(isOther && { champion: { name: live.name, version: live.version } }),
  };
}

/** The version itself, before anything is judged; for what more is to be asked about it. */
export function chosenVersion(
  model: ModelConfig,
  facts: RegistryFacts,
  known: Known,
): { version: string; digest: string | undefined } {
  const { chosen, entry } = found(model, facts, known);
  return { version: chosen.version, digest: taggedDigest(entry) };
}

/**
 * What the configuration leads to now: nothing of it is judged.
 *
 * @throws SlipwayError MODEL when it leads nowhere.
 */
export function pointedAt(model: ModelConfig, facts: RegistryFacts): Chosen {
  const registered = readRegistered(facts.registered);
  if (registered.ok) return choose(model, registered.value);
  throw broken(`The model ${model.name} cannot be looked up`, registered.why);
}

interface Chosen {
  readonly version: string;
  readonly how: How;
  readonly alias?: string;
  readonly stage?: string;
}

/** The version that the configuration means, which has to be READY, with its metrics. */
export function found(
  model: ModelConfig,
  facts: RegistryFacts,
  known: Known,
): { chosen: Chosen; entry: Version; metrics: Metrics } {
  const registered = readRegistered(facts.registered);
  if (!registered.ok)
    throw broken(
      `The model ${model.name} cannot be looked up at ${known.tracking}`,
      registered.missing
        ? `the registry has no model of this name. Register it, or set model.name (MODEL_REGISTRY_NAME)`
        : registered.why,
    );
  const chosen = choose(model, registered.value);
  const one = facts.versions[chosen.version];
  const entry = one && readVersion(one.version);
  const what = `Version ${chosen.version} of the model ${model.name} cannot be looked up at ${known.tracking}`;
  if (!one || !entry) throw broken(what, "it was not asked for");
  if (!entry.ok)
    throw broken(
      what,
      entry.missing ? `there is no such version. ${has(registered.value)}` : entry.why,
    );
  const { status = "READY", status_message = "" } = entry.value;
  if (status !== "READY")
    throw broken(
      `Version ${chosen.version} of the model ${model.name} cannot be deployed`,
      `it is ${status}${status_message === "" ? "" : ` (${status_message})`}, not READY. ${status === "PENDING_REGISTRATION" ? "Wait until it is registered, and try again" : "Register it anew"}`,
    );
  const metrics = one.run ? readMetrics(one.run) : undefined;
  // A run that is gone has no metrics; a registry that does not tell is another thing.
  if (metrics && !metrics.ok && !metrics.missing)
    throw broken(`The run of version ${chosen.version} of ${model.name}`, metrics.why);
  return { chosen, entry: entry.value, metrics: metrics?.ok ? metrics.value : {} };
}

function choose(model: ModelConfig, registered: Registered): Chosen {
  const { name, version, alias, stage } = model;
  if (version !== undefined) return { version, how: "version" };
  const byAlias = (wanted: string): string | undefined =>
    registered.aliases.find((each) => each.alias === wanted)?.version;
  if (alias !== undefined) {
    const at = byAlias(alias);
    if (at !== undefined) return { version: at, how: "alias", alias };
    const names = registered.aliases.map((each) => each.alias);
    const meant = nearest(alias, names);
    throw broken(
      `The model ${name} has no alias ${alias}`,
      `${meant === undefined ? "" : `did you mean ${meant}? `}${has(registered)}. Set the alias, or model.alias (MODEL_ALIAS)`,
    );
  }
  const at = byAlias(stage);
  if (at !== undefined) return { version: at, how: "default", alias: stage };
  const staged = registered.latest_versions.find((each) => sameStage(each.current_stage, stage));
  if (staged) return { version: staged.version, how: "stage", stage };
  throw broken(
    `The model ${name} has neither an alias nor a stage ${stage}`,
    `${has(registered)}. Set the alias, or say which version by model.version, model.alias or model.stage (MODEL_VERSION, MODEL_ALIAS, MODEL_STAGE)`,
  );
}

/** `It has the aliases production (7), champion (6); the newest version is 8` */
function has({ aliases, latest_versions }: Registered): string {
  const newest = latest_versions.map(({ version }) => Number(version)).filter(isFinite);
  const names = aliases.map(({ alias, version }) => `${alias} (${version})`).join(", ");
  const told = names === "" ? "It has no alias" : `It has the aliases ${names}`;
  return newest.length === 0 ? told : `${told}; its newest version is ${Math.max(...newest)}`;
}

export function broken(what: string, why: string): SlipwayError {
  return new SlipwayError("MODEL", `${what}: ${why}.`);
}
