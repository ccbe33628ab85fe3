import { readReleases, releaseSecret } from "../../../../src/core/delivery/release.js";
import type { ReleaseRecord } from "../../../../src/core/delivery/types.js";
import type { Service } from "./service.js";

/** The releases as the cluster keeps them, the oldest first. */
export async function records(service: Service): Promise<ReleaseRecord[]> {
  return readReleases(
    await service.kubectl(["get", "secrets", "--selector=owner=slipway", "--output=json"]),
  );
}

/** Puts records in place of what is there: what took hours, or a hundred releases, to come about. */
export async function record(
  service: Service,
  ...releases: readonly ReleaseRecord[]
): Promise<void> {
  const items = releases.map(releaseSecret);
  const args = ["apply", "--server-side", "--force-conflicts", "--filename=-"];
  await service.kubectl(args, { apiVersion: "v1", kind: "List", items });
}
