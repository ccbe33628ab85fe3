import type { Client, Container, Directory } from "@dagger.io/dagger";

import { BUSYBOX } from "./case.js";

/** A context with a Dockerfile of these lines, and nothing else. */
export function dockerfile(dag: Client, ...lines: readonly string[]): Directory {
  return dag.directory().withNewFile("Dockerfile", [...lines, ""].join("\n"));
}

/** Builds the lines after `FROM busybox`, with an empty `package.json` in the context. */
export function built(dag: Client, ...lines: readonly string[]): Container {
  return dockerfile(dag, `FROM ${BUSYBOX}`, ...lines)
    .withNewFile("package.json", "{}")
    .dockerBuild();
}
