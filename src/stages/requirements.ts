import type { Container } from "@dagger.io/dagger";

import type { Requirements } from "../core/project/requirements.js";
import { withUv } from "./base.js";
import type { Context } from "./context.js";

/** Where exact requirements are in a container. */
export const REQUIREMENTS = "/requirements";

export const REQUIREMENTS_FILE = `${REQUIREMENTS}/requirements.txt`;

/** Exact requirements as a file of a container. */
export function withRequirements(container: Container, { text }: Requirements): Container {
  return container.withNewFile(REQUIREMENTS_FILE, text);
}

/**
 * Exact requirements, as a file and installed. What a lock has from an index of its own is looked for
 * there before anywhere else: a public package of that name is not taken, and the hashes hold anyway.
 */
export function withInstalled(
  container: Container,
  requirements: Requirements,
  context: Pick<Context, "config">,
): Container {
  return requirements.parts.reduce(
    (each, { text, index }, number) => {
      const file = `${REQUIREMENTS}/part-${number}.txt`;
      return withUv(
        each.withNewFile(file, text),
        installCommand(file, index, context.config.index.extra),
        context,
      );
    },
    withRequirements(container, requirements),
  );
}

/** uv's arguments that install a requirements file; `index` comes before the configured ones. */
export function installCommand(
  file: string,
  index: string | undefined,
  extra: readonly string[],
): string[] {
  return [
    ...["pip", "install", "--quiet", "--no-deps"],
    // They take the place of those in the environment. What builds a source distribution may come from any.
    ...(index === undefined ? [] : [index, ...extra].map((each) => `--index=${each}`)),
    ...["--requirement", file],
  ];
}
