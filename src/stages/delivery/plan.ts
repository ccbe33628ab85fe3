import { stableObjects } from "../../core/delivery/changes.js";
import { nothingToCompare, passage } from "../../core/delivery/comparison.js";
import { planText } from "../../core/delivery/plan.js";
import { liveRelease, nextNumber, openRelease } from "../../core/delivery/release.js";
import { refusal } from "../../core/delivery/refusal.js";
import { isSame } from "../../core/delivery/rollback.js";
import { stepsOf } from "../../core/delivery/steps.js";
import type { Observation, ReleaseRecord } from "../../core/delivery/types.js";
import { SlipwayError } from "../../core/errors.js";
import type { Context } from "../context.js";
import { kubectl, type Cluster } from "../kubectl.js";
import { resolveModel } from "../model.js";
import { composeRelease } from "./compose.js";
import { referenceOf, verifiedImage } from "./image.js";
import { clusterOf, lookAround, type Access } from "./open.js";

/** A release as it would be, and what is there. */
interface Prepared {
  readonly cluster: Cluster;
  readonly release: ReleaseRecord;
  readonly records: readonly ReleaseRecord[];
  readonly seen: Observation;
  /** Who has the lease; empty when nobody has. */
  readonly holder: string;
}

/**
 * What `deploy` would do, step by step; nothing is changed.
 *
 * @throws SlipwayError when the image is not verified, or the cluster cannot be asked.
 */
export async function plan(context: Context, access: Access, given: string): Promise<string> {
  const { release, records, seen, holder } = await prepare(context, access, given);
  const live = liveRelease(records);
  if (live?.number === release.number)
    return `release ${live.number} of ${live.service} is this already: there is nothing to do, unless its pods or objects were changed (\`slipway diff\`).\n`;
  const open = openRelease(records);
  // The route that weighs is the one that is there.
  const route = live?.config.route ?? release.config.route;
  const config = { ...release.config, route: { ...route, header: release.config.route.header } };
  const alone = live && nothingToCompare(live.number, seen);
  const { noCanary, lost } = passage(live, release, alone);
  return planText({
    ...{ release, live },
    steps: stepsOf(config, release.replicas),
    noCanary,
    obstacle: lost
      ? `it would be refused: ${lost.why}. ${lost.instead}`
      : open?.status === "waiting"
        ? `the canary of release ${open.number} waits: promote or abort it first`
        : holder === ""
          ? undefined
          : `another deployment is in progress, or ended without a word: ${holder}`,
  });
}

/**
 * What `deploy` would change of what is stable, as `kubectl diff` shows it; nothing is changed.
 *
 * @throws SlipwayError DELIVERY when the API server refuses the objects.
 */
export async function diff(context: Context, access: Access, given: string): Promise<string> {
  const { cluster, release, seen } = await prepare(context, access, given);
  // The Deployment too, also where it is of this release: somebody may have changed it.
  const items = stableObjects(release, { ...seen, stable: undefined });
  const input = JSON.stringify({ apiVersion: "v1", kind: "List", items });
  const args = ["diff", "--server-side", "--field-manager=slipway", "--filename=-"];
  const [answer] = await kubectl(context, cluster, [{ args, input }]);
  if (answer?.exitCode === 0) return "No difference: the cluster has all of it.\n";
  if (answer?.exitCode !== 1 || answer.stdout === "")
    throw new SlipwayError(
      "DELIVERY",
      refusal("The release cannot be compared with the cluster", answer?.stderr ?? ""),
    );
  return readable(answer.stdout);
}

async function prepare(context: Context, access: Access, given: string): Promise<Prepared> {
  const reference = referenceOf(context, given);
  const cluster = await clusterOf(context, access);
  const [image, { records, seen, holder }] = await Promise.all([
    verifiedImage(context, access, reference),
    lookAround(context, cluster),
  ]);
  const live = liveRelease(records);
  const model = await resolveModel(context, access.models, {
    live: live?.model,
    attested: image.attested,
  });
  const next = { next: nextNumber(records), seen, live };
  const more = { ...image, model, by: access.by, run: "" };
  const release = await composeRelease(context, cluster, next, more);
  // The number alone is no difference: what serves already gets no new one.
  if (live && isSame(live, release)) {
    const again = { next: live.number, seen, live };
    return {
      ...{ cluster, records, seen, holder },
      release: await composeRelease(context, cluster, again, more),
    };
  }
  return { cluster, release, records, seen, holder };
}

/** Without the folders and times of the files that kubectl compares. */
function readable(text: string): string {
  return text
    .replace(/^(diff .*)$/gm, "")
    .replace(
      /^(---|\+\+\+) \/tmp\/(LIVE|MERGED)-\d+\/(\S+).*$/gm,
      (_, sign: string, side: string, name: string) =>
        `${sign} ${side === "LIVE" ? "cluster" : "release"}/${name}`,
    )
    .replace(/^\n/gm, "");
}
