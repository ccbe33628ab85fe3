import * as z from "zod";
import { BUILD_TYPE, GITHUB_BUILD_TYPE } from "./attestations/names.js";
import { predicateOf, provenanceSchema } from "./provenance.js";

/** The predicate as `actions/attest-build-provenance` writes it. */
const githubSchema = predicateOf(
  GITHUB_BUILD_TYPE,
  z.strictObject({
    workflow: z.strictObject({ ref: z.string(), repository: z.string(), path: z.string() }),
  }),
);

/** What is believed of an image's origin, whichever known builder says it. */
export interface Origin {
  readonly builder: string;
  /** Where the source lives; empty where nobody said. */
  readonly repository: string;
  /** Commit of the source; absent where nobody said. */
  readonly commit?: string | undefined;
  /** Platforms that were built, as far as it says. */
  readonly platforms: readonly string[];
  /** What went into it, each by digest. */
  readonly dependencies: number;
}

const buildTypes = z.looseObject({
  buildDefinition: z.looseObject({ buildType: z.enum([BUILD_TYPE, GITHUB_BUILD_TYPE]) }),
});

type Read =
  | { readonly success: true; readonly data: Origin }
  | { readonly success: false; readonly error: z.ZodError; readonly data?: undefined };

/** Reads a provenance of a build type that is known; the error says what is not as it has to be. */
export function readOrigin(predicate: unknown): Read {
  const type = buildTypes.safeParse(predicate);
  if (!type.success) return type;
  return ORIGINS[type.data.buildDefinition.buildType].safeParse(predicate);
}

const ORIGINS: Readonly<Record<typeof BUILD_TYPE | typeof GITHUB_BUILD_TYPE, z.ZodType<Origin>>> = {
  [BUILD_TYPE]: provenanceSchema.transform(({ buildDefinition, runDetails }): Origin => {
    const { externalParameters: parameters, resolvedDependencies: found } = buildDefinition;
    return {
      builder: runDetails.builder.id,
      repository: parameters.source.repository,
      commit: found.find(({ name }) => name === "source")?.digest.gitCommit,
      platforms: parameters.platforms,
      dependencies: found.length,
    };
  }),
  [GITHUB_BUILD_TYPE]: githubSchema.transform(({ buildDefinition, runDetails }): Origin => {
    const { externalParameters: parameters, resolvedDependencies: found } = buildDefinition;
    const { repository } = parameters.workflow;
    return {
      builder: runDetails.builder.id,
      repository,
      // GitHub gives it no name.
      commit: found.find(({ uri }) => uri?.startsWith(`git+${repository}@`))?.digest.gitCommit,
      platforms: [],
      dependencies: found.length,
    };
  }),
};
