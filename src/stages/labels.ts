import { stageOf } from "../core/attestations/predicates.js";
import { UNKNOWN_VERSION } from "../core/project/version.js";
import { pythonImage } from "../images.js";
import type { Context } from "./context.js";

/** What the caller knows of this build, for the labels; all of it changes the image's digest. */
export interface BuildFacts {
  /** Commit that the source is of. */
  readonly revision?: string | undefined;
  /** Where the source lives. */
  readonly sourceUrl?: string | undefined;
}

/** Labels by name; without a time, so that equal sources give equal images. */
export function imageLabels(
  { config, project }: Pick<Context, "config" | "project">,
  { revision, sourceUrl }: BuildFacts,
): Record<string, string> {
  const { model } = config;
  const models = {
    "slipway.model.name": model.name,
    "slipway.model.stage": stageOf(model),
    "slipway.model.version": model.version,
    "slipway.model.run": model.run,
    "slipway.model.digest": model.digest,
  };
  const labels: Record<string, string | undefined> = {
    "org.opencontainers.image.title": project.name,
    "org.opencontainers.image.version":
      project.version === UNKNOWN_VERSION ? undefined : project.version,
    "org.opencontainers.image.description": project.description,
    "org.opencontainers.image.licenses": project.license,
    "org.opencontainers.image.revision": revision,
    "org.opencontainers.image.source": sourceUrl,
    "org.opencontainers.image.base.name": pythonImage(project.python.version, config.images),
    ...(model.enabled && models),
    ...config.build.labels,
  };
  if (config.build.dockerfile !== undefined) delete labels["org.opencontainers.image.base.name"];
  return Object.fromEntries(
    Object.entries(labels).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
