import type { Model } from "../attestations/predicates.js";
import type { Config } from "../config/schema.js";
import { SlipwayError, type Problem } from "../errors.js";
import { oneLine } from "../text.js";
import { pointedAt } from "./resolve.js";
import type { RegistryFacts } from "./types.js";

type ModelConfig = Config["model"];

/** The configuration that means this version and no other, whatever becomes of aliases. */
export function pinnedConfig(
  model: ModelConfig,
  {
    version,
    runId,
    digest,
  }: { readonly version: string; readonly runId: string; readonly digest?: string | undefined },
): ModelConfig {
  return {
    ...{ ...model, version },
    ...(runId !== "" && { run: runId }),
    ...(digest !== undefined && { digest }),
  };
}

/**
 * The configuration that means the version which the image was released with.
 *
 * @throws SlipwayError MODEL when another one is configured: then one of the two is a mistake.
 */
export function attestedConfig(model: ModelConfig, attested: Model): ModelConfig {
  const { name, version = "", run = "", digest } = attested;
  const whole = digest && `sha256:${digest.sha256}`;
  const problems = (
    [
      ["model.name", model.name, name],
      ["model.version", model.version, version],
      ["model.run", model.run, run],
      ["model.digest", model.digest, whole],
    ] as const
  ).flatMap(([key, wanted, is]): Problem[] =>
    wanted === undefined || is === undefined || is === "" || wanted === is
      ? []
      : [
          {
            ...{ source: "attestation", key },
            message: `the image was released with ${is}, ${key} is ${wanted}`,
          },
        ],
  );
  if (problems.length > 0)
    throw new SlipwayError(
      "MODEL",
      `The image was released with another model than the one that is configured. Release it again with that one, or configure the one that it has.`,
      problems,
    );
  return pinnedConfig(model, { version, runId: run, digest: whole });
}

/** What to know where the configuration leads to another version by now than to the attested one. */
export function drift(model: ModelConfig, facts: RegistryFacts, attested: Model): string[] {
  const { version = "", name } = attested;
  const stays = `the image was released with version ${version}, which is what is deployed`;
  try {
    const now = pointedAt(model, facts);
    if (now.version === version) return [];
    const by = now.alias ?? now.stage ?? "";
    return [
      `${name} ${by} is version ${now.version} by now; ${stays}. Release again to deploy version ${now.version}`,
    ];
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    return [`${oneLine(said, 300)} ${stays[0]?.toUpperCase() ?? ""}${stays.slice(1)}`];
  }
}
