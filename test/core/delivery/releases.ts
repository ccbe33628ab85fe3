import type { KubernetesObject } from "../../../src/core/delivery/objects/index.js";
import type { ReleaseRecord } from "../../../src/core/delivery/types.js";
import { deploy } from "../../../src/core/config/deploy.js";

export const STARTED = "2026-11-24T12:00:00.000Z";

/** `registry.example/team/iris@sha256:…` of the image called by a letter or digit. */
export function imageOf(mark: string): string {
  return `registry.example/team/iris@sha256:${mark.repeat(64).slice(0, 64)}`;
}

export function objectOf(kind: string, name: string, more: object = {}): KubernetesObject {
  return { apiVersion: "v1", kind, metadata: { name }, ...more };
}

/** A release of the iris service, which served and was superseded unless told otherwise. */
export function releaseOf(number: number, more: Partial<ReleaseRecord> = {}): ReleaseRecord {
  const reference = more.reference ?? imageOf((number % 10).toString());
  return {
    schema: 1,
    service: "iris",
    namespace: "default",
    number,
    kind: "deploy",
    status: "superseded",
    phase: "promoting",
    reference,
    tag: `1.0.${number}`,
    objects: [objectOf("Deployment", "iris", { spec: { image: reference } })],
    port: 8000,
    replicas: 2,
    config: deploy.parse({ drain: 3, keep: 4, deadline: 60 }),
    verified: "with this key",
    by: "somebody",
    run: "1",
    startedAt: STARTED,
    steps: [],
    calls: 0,
    ...more,
  };
}
