import * as assert from "uvu/assert";

import type { Ended } from "./module.js";
import type { Service } from "./service.js";

/** It went well, and this release serves alone: no canary, no weight, all pods new. */
export async function serves(service: Service, ended: Ended, release: number): Promise<void> {
  assert.is(ended.code, 0, ended.text);
  await isAlone(service, release);
}

/** The stable release serves alone and nothing is left of a canary. */
export async function isAlone(service: Service, release: number): Promise<void> {
  const scene = await service.scene();
  assert.equal(scene, { stable: release, settled: true, canary: 0, ready: 0, weight: 0 });
  const left = await service.kubectl([
    ...["get", "deployments,services,configmaps", "--output=name"],
    "--selector=slipway.dev/track=canary",
  ]);
  assert.is(left, "");
}

/** It failed, said why, and everything is as it was before: this release serves alone. */
export async function takenBack(
  service: Service,
  ended: Ended,
  release: number,
  why: RegExp,
): Promise<void> {
  assert.is(ended.code, 1, ended.text);
  assert.match(ended.text, why, ended.text);
  await isAlone(service, release);
}

/** It was refused before anything was touched. */
export function refused(ended: Ended, why: RegExp): void {
  assert.is(ended.code, 2, ended.text);
  assert.match(ended.text, why, ended.text);
}

/** Releases that answer some requests, as the service's users see it. */
export async function answering(
  service: Service,
  headers: Readonly<Record<string, string>> = {},
  count = 10,
): Promise<string[]> {
  const seen = new Set<string>();
  for (let index = 0; index < count; index++) seen.add((await service.ask(headers)).release);
  return [...seen].sort();
}
