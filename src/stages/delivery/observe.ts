import { setTimeout as sleep } from "node:timers/promises";

import type { Analysis, Outcome } from "../../core/analysis/types.js";
import { endedText, historyText, isHealthy, statusText } from "../../core/delivery/report.js";
import type { Ended } from "../../core/delivery/process.js";
import { podPort } from "../../core/delivery/ports.js";
import { liveRelease, openRelease } from "../../core/delivery/release.js";
import { refuseOvertaken, rollbackTarget } from "../../core/delivery/rollback.js";
import type { ReleaseRecord } from "../../core/delivery/types.js";
import { afterLook } from "../../core/delivery/watch.js";
import { SlipwayError } from "../../core/errors.js";
import type { Context } from "../context.js";
import type { Cluster } from "../kubectl.js";
import { analyse } from "./analysis.js";
import { rollback } from "./deploy.js";
import { clusterOf, lookAround, serviceName, type Access } from "./open.js";
import type { AnalysisTarget } from "./pods.js";
import { analysisProblems, LOOKED_AT, refuseUnmeasurable } from "./problems.js";

/** What is told of a service without touching it. */
export interface Told {
  readonly table: string;
  readonly json: string;
  readonly isHealthy: boolean;
  /** The live release's image, by digest; empty when there is none. */
  readonly reference: string;
  readonly number: number;
}

/** What is live, what is under way, and how the pods are. */
export async function status(context: Context, access: Access): Promise<Told> {
  const cluster = await clusterOf(context, access);
  const service = serviceName(context);
  const { records, seen, holder } = await lookAround(context, cluster);
  const live = liveRelease(records);
  const open = openRelease(records);
  const healthy = isHealthy(live, open, seen);
  return {
    table: statusText(service, { live, open }, seen, holder),
    json: JSON.stringify({ service, healthy, live, open, seen, holder }),
    isHealthy: healthy,
    reference: live?.reference ?? "",
    number: live?.number ?? 0,
  };
}

/** Every release that is kept. */
export async function history(context: Context, access: Access): Promise<Told> {
  const cluster = await clusterOf(context, access);
  const { records } = await lookAround(context, cluster);
  const live = liveRelease(records);
  return {
    table: historyText(records),
    json: JSON.stringify(records.toReversed().map((record) => ({ ...record, objects: undefined }))),
    isHealthy: live !== undefined,
    reference: live?.reference ?? "",
    number: live?.number ?? 0,
  };
}

/**
 * Looks at the live release for a time, and rolls it back when an analysis of it fails: that one, and no
 * release that came after it.
 *
 * @throws SlipwayError CONFIG when no analysis can be made; USAGE when nothing is live or something is
 *   under way, at first or at any look; DELIVERY when it could not be looked at in the end.
 */
export async function watch(context: Context, access: Access, seconds: number): Promise<Ended> {
  const hasToken = access.metricsToken !== undefined;
  await refuseUnmeasurable(analysisProblems(context, LOOKED_AT.live, hasToken));
  const cluster = await clusterOf(context, access);
  const { records } = await lookAround(context, cluster);
  const live = liveRelease(records);
  if (!live || openRelease(records))
    throw new SlipwayError(
      "USAGE",
      live
        ? "Nothing was watched: a deployment is under way or waits. See `slipway status`."
        : "Nothing was watched: no release is live.",
    );
  const { service: name, number: release } = live;
  const port = podPort(live);
  const end = performance.now() + seconds * 1000;
  const outcomes: Outcome[] = [];
  for (;;) {
    const target = { name, canary: name, port, release, weight: 100 };
    const found = await lookAt(context, access, cluster, target);
    console.log(`release ${release}: ${found.outcome}: ${found.why}`);
    outcomes.push(found.outcome);
    const then = afterLook(outcomes, performance.now() >= end);
    if (then.do === "end") return { outcome: "done", release: live };
    if (then.do === "give up")
      throw new SlipwayError(
        "DELIVERY",
        `Release ${release} could not be watched, so nobody knows how it is: ${found.why}`,
      );
    if (then.do === "look") {
      await sleep(then.seconds * 1000);
      continue;
    }
    rollbackTarget(records, undefined);
    console.log(`rolling back release ${release}`);
    const ended = await rollback(context, access, undefined, { watched: release });
    const status = ended.outcome === "done" ? "rolled-back" : live.status;
    const why = `it failed while it was watched: ${found.why}`;
    return { outcome: "failed", release: { ...live, status, why }, details: endedText(ended) };
  }
}

/**
 * One look at the live release, which may be another one by its end: the pods that were looked at are
 * that one's then. When that is not known, neither is how it is; of one that failed, whoever rolls it back
 * asks again.
 *
 * @throws SlipwayError USAGE when another one is live or on its way.
 */
async function lookAt(
  context: Context,
  access: Access,
  cluster: Cluster,
  target: AnalysisTarget,
): Promise<Analysis> {
  const found = await analyse(context, cluster, target, access);
  const isFailed = found.outcome === "failed";
  let records: readonly ReleaseRecord[];
  try {
    ({ records } = await lookAround(context, cluster));
  } catch (error) {
    if (isFailed) return found;
    if (!(error instanceof SlipwayError)) throw error;
    const why = `whether it is still live is not known: ${error.message}`;
    return { ...found, outcome: "errored", why };
  }
  refuseOvertaken(records, target.release, isFailed);
  return found;
}
