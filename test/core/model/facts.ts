import { configSchema, type Config } from "../../../src/core/config/schema.js";
import type { Answer, RegistryFacts } from "../../../src/core/model/types.js";

export const NAME = "iris-random-forest";
export const TRACKING = "https://models.example";

/** `[tool.slipway.model]` with the defaults filled in. */
export function model(settings: object = {}): Config["model"] {
  return configSchema.parse({ model: settings }).model;
}

/** One version, as a test wants the registry to tell of it. */
export interface Told {
  readonly status?: string;
  readonly run?: string;
  readonly stage?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly metrics?: Readonly<Record<string, number | string>>;
}

/** An answer with a refusal in MLflow's own form. */
export function refused(status: number, error_code: string, message = "no"): Answer {
  return { status, body: { error_code, message } };
}

export const MISSING = refused(404, "RESOURCE_DOES_NOT_EXIST");

/** What a registry with these versions and aliases answers. */
export function facts(
  versions: Readonly<Record<string, Told>>,
  aliases: Readonly<Record<string, string>> = {},
  change: Partial<RegistryFacts> = {},
): RegistryFacts {
  const entries = Object.entries(versions).map(([version, told]) => [
    version,
    entry(version, told),
  ]);
  const known = Object.fromEntries(entries) as Record<string, Record<string, unknown>>;
  return {
    registered: {
      status: 200,
      body: {
        registered_model: {
          name: NAME,
          aliases: Object.entries(aliases).map(([alias, version]) => ({ alias, version })),
          latest_versions: Object.values(known),
        },
      },
    },
    versions: Object.fromEntries(
      Object.entries(versions).map(([version, { metrics = {} }]) => [
        version,
        {
          version: { status: 200, body: { model_version: known[version] } },
          run: {
            status: 200,
            body: {
              run: {
                data: {
                  metrics: Object.entries(metrics).map(([key, value]) => ({ key, value })),
                },
              },
            },
          },
        },
      ]),
    ),
    ...change,
  };
}

function entry(version: string, told: Told): Record<string, unknown> {
  return {
    ...{ name: NAME, version, status: told.status ?? "READY" },
    ...{ current_stage: told.stage ?? "None", run_id: told.run ?? `run-${version}` },
    tags: Object.entries(told.tags ?? {}).map(([key, value]) => ({ key, value })),
  };
}
