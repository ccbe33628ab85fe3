import { gunzipSync, gzipSync } from "node:zlib";

import { SlipwayError } from "../errors.js";
import type { KubernetesObject } from "./objects/index.js";
import type { ReleaseRecord } from "./types.js";

/** Type of the Secrets that hold releases. */
const RELEASE_TYPE = "slipway.dev/release.v1";

/** The API server takes no Secret of more than 1 MiB. */
const LARGEST = 1_000_000;

/** Selects the Secrets of a service's releases. */
export function releaseSelector(service: string): string {
  return `owner=slipway,name=${service}`;
}

/** Name of the Secret that holds a release. */
export function releaseName(service: string, number: number): string {
  return `slipway.${service}.v${number}`;
}

/**
 * The Secret that keeps a release in the cluster.
 *
 * @throws SlipwayError DELIVERY when it is too large to be kept.
 */
export function releaseSecret(record: ReleaseRecord): KubernetesObject {
  const { service, namespace, number, status } = record;
  const release = gzipSync(JSON.stringify(record));
  if (release.length > LARGEST)
    throw new SlipwayError(
      "DELIVERY",
      `Release ${number} of ${service} takes ${release.length} bytes with its manifests, more than a Secret holds (${LARGEST}). Make the manifests smaller: deploy.manifests.`,
    );
  return {
    apiVersion: "v1",
    kind: "Secret",
    type: RELEASE_TYPE,
    metadata: {
      name: releaseName(service, number),
      namespace,
      labels: {
        "app.kubernetes.io/managed-by": "slipway",
        owner: "slipway",
        name: service,
        status,
        version: String(number),
      },
    },
    data: { release: release.toString("base64") },
  };
}

/**
 * The releases in a list of Secrets as JSON, the oldest first.
 *
 * @throws SlipwayError DELIVERY when one cannot be read: to go on without it could be wrong.
 */
export function readReleases(text: string): ReleaseRecord[] {
  if (text.trim() === "") return [];
  const { items = [] } = JSON.parse(text) as {
    items?: readonly { metadata: { name: string }; data?: { release?: string } }[];
  };
  return items
    .map(({ metadata, data }) => readRelease(metadata.name, data?.release))
    .sort((one, other) => one.number - other.number);
}

function readRelease(name: string, data = ""): ReleaseRecord {
  const broken = (why: string) =>
    new SlipwayError(
      "DELIVERY",
      `The Secret ${name}, which keeps a release, cannot be read (${why}). Restore it from a backup, or delete it if that release is not needed any more.`,
    );
  let record: ReleaseRecord;
  try {
    record = JSON.parse(gunzipSync(Buffer.from(data, "base64")).toString()) as ReleaseRecord;
  } catch (error) {
    throw broken((error as Error).message);
  }
  // What a later version of Slipway wrote may mean something else.
  if ((record.schema as number) !== 1)
    throw broken(
      `schema ${String(record.schema)}, of a later Slipway: use that one, or a later one`,
    );
  return record;
}

/** The release that serves: the last one that became live. */
export function liveRelease(records: readonly ReleaseRecord[]): ReleaseRecord | undefined {
  return records.findLast(({ status }) => status === "live");
}

/** A release that was begun and is not finished: of a run that goes on, ended, or left a canary. */
export function openRelease(records: readonly ReleaseRecord[]): ReleaseRecord | undefined {
  return records.findLast(({ status }) => status === "pending" || status === "waiting");
}

/** The number of the next release. */
export function nextNumber(records: readonly ReleaseRecord[]): number {
  return records.reduce((highest, { number }) => Math.max(highest, number), 0) + 1;
}

/**
 * Numbers of the releases to forget so that `keep` are left: the oldest first, but never the live
 * one, one that is not finished, or the last one that served before the live one.
 */
export function releasesToForget(records: readonly ReleaseRecord[], keep: number): number[] {
  const live = liveRelease(records);
  const before = records.findLast(
    ({ status, number }) => status === "superseded" && number !== live?.number,
  );
  const spared = new Set([live?.number, before?.number, openRelease(records)?.number]);
  const free = records.filter(({ number }) => !spared.has(number));
  const tooMany = Math.max(0, records.length - keep);
  return free.slice(0, tooMany).map(({ number }) => number);
}
