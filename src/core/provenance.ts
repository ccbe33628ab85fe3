import * as z from "zod";
import { BUILD_TYPE, BUILDER } from "./attestations/names.js";
import { modelSchema, type Model } from "./attestations/predicates.js";

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const resource = z.looseObject({
  name: z.string().optional(),
  uri: z.string().optional(),
  digest: z.record(z.string(), z.string().regex(/^[0-9a-f]{40,}$/)),
  annotations: z.record(z.string(), z.unknown()).optional(),
});

/**
 * What a builder of this build type takes from outside; docs/build-type.md describes each. Strict:
 * a parameter that nobody described could change the image in a way that nobody checked.
 */
const externalParameters = z.strictObject({
  source: z.strictObject({ repository: z.string(), revision: z.string() }),
  folder: z.string(),
  repository: z.string().min(1),
  platforms: z.array(z.string()),
  configuration: z.record(z.string(), z.unknown()),
  model: modelSchema.omit({ digest: true }).optional(),
});

/** A predicate `https://slsa.dev/provenance/v1` of a build type that is known, with its parameters. */
export function predicateOf<Type extends string, Parameters extends z.ZodType>(
  buildType: Type,
  parameters: Parameters,
) {
  return z.strictObject({
    buildDefinition: z.strictObject({
      buildType: z.literal(buildType),
      externalParameters: parameters,
      internalParameters: z.record(z.string(), z.unknown()).optional(),
      resolvedDependencies: z.array(resource).min(1),
    }),
    runDetails: z.looseObject({
      builder: z.looseObject({ id: z.string().min(1) }),
      metadata: z.looseObject({
        invocationId: z.string().optional(),
        startedOn: z.iso.datetime({ offset: true }).optional(),
        finishedOn: z.iso.datetime({ offset: true }).optional(),
      }),
    }),
  });
}

/** The predicate as Slipway writes it. */
export const provenanceSchema = predicateOf(BUILD_TYPE, externalParameters);

export type Provenance = z.infer<typeof provenanceSchema>;

/** What is known of a build when it is done. */
export interface Build {
  /** Where the source lives and its commit; empty where nobody said. */
  readonly source: { readonly repository: string; readonly revision: string };
  /** Folder of the service in the source. */
  readonly folder: string;
  /** Where the image goes, without a tag. */
  readonly repository: string;
  readonly platforms: readonly string[];
  /** The configuration with every default filled in. */
  readonly configuration: Readonly<Record<string, unknown>>;
  /** Images that took part, by their use, each with a digest: `registry/name:tag@sha256:…`. */
  readonly images: Readonly<Record<string, string>>;
  /** The model that the service is told to load, as it is configured; absent when it loads none. */
  readonly model?: Model | undefined;
  /** The version of it that was found; the configured one where no registry was asked. */
  readonly resolved?: Model | undefined;
  /** Files that decide what is installed, with their SHA-256. */
  readonly files: Readonly<Record<string, string>>;
  readonly invocationId: string;
  readonly startedOn: Date;
  readonly finishedOn: Date;
}

/** The provenance of an image; only what is known by its digest counts as resolved. */
export function provenance(build: Build): Provenance {
  const { source, files, images } = build;
  return {
    buildDefinition: {
      buildType: BUILD_TYPE,
      externalParameters: {
        source: { ...source },
        folder: build.folder,
        repository: build.repository,
        platforms: [...build.platforms],
        configuration: { ...build.configuration },
        ...(build.model && { model: named(build.model) }),
      },
      resolvedDependencies: [
        ...commit(source),
        ...Object.entries(images).map(([name, reference]) => image(name, reference)),
        ...Object.entries(files).map(([name, digest]) => ({
          name,
          digest: { sha256: sha256.parse(digest) },
        })),
        ...artifact(build.resolved ?? build.model),
      ],
    },
    runDetails: {
      builder: { id: BUILDER },
      metadata: {
        invocationId: build.invocationId,
        startedOn: build.startedOn.toISOString(),
        finishedOn: build.finishedOn.toISOString(),
      },
    },
  };
}

type Resource = z.infer<typeof resource>;

function commit({ repository, revision }: Build["source"]): Resource[] {
  if (!/^[0-9a-f]{40}([0-9a-f]{24})?$/.test(revision)) return [];
  const uri = repository === "" ? {} : { uri: `git+${repository}@${revision}` };
  return [{ name: "source", ...uri, digest: { gitCommit: revision } }];
}

function image(name: string, reference: string): Resource {
  const [named = "", digest = ""] = reference.split("@sha256:");
  return { name, uri: `docker://${named}`, digest: { sha256: sha256.parse(digest) } };
}

function named({ name, stage, version, run }: Model): Omit<Model, "digest"> {
  return { name, stage, ...(version && { version }), ...(run && { run }) };
}

/** The model as MLflow addresses it. */
function artifact(model: Model | undefined): Resource[] {
  if (!model?.digest) return [];
  const { name, stage, version, run, digest } = model;
  const uri = version === undefined ? `models:/${name}@${stage}` : `models:/${name}/${version}`;
  const annotations = { name, ...(version && { version }), ...(run && { run }) };
  return [{ name: "model", uri, digest: { ...digest }, annotations }];
}
