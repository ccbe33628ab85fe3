import { func, object } from "@dagger.io/dagger";

/** An image in a registry. */
@object()
export class Artifact {
  /** By digest, for whoever deploys or verifies it: registry/repository@sha256:… */
  @func()
  reference = "";

  /** The image's digest: sha256:… */
  @func()
  digest = "";

  /** All its tags, as full references; each gives this digest */
  @func()
  tags: string[] = [];
}
