import { leftAlone, waitingCanary, type Abortable } from "../../core/delivery/abort.js";
import { promotable } from "../../core/delivery/approval.js";
import { passage, refuseOccupied, stillNothingToCompare } from "../../core/delivery/comparison.js";
import { portsLost } from "../../core/delivery/ports.js";
import { replace, rollOut, type Ended } from "../../core/delivery/process.js";
import { liveRelease, openRelease } from "../../core/delivery/release.js";
import { isSame, refuseOvertaken, rollbackTarget } from "../../core/delivery/rollback.js";
import { shareText, stepsBeforeApproval, stepsOf } from "../../core/delivery/steps.js";
import { findingsTable, type Finding } from "../../core/delivery/validation/findings.js";
import { emergencyFindings, trialFindings } from "../../core/delivery/validation/trial.js";
import { LeaseLost } from "../../core/delivery/world.js";
import { SlipwayError } from "../../core/errors.js";
import { modelLine } from "../../core/model/describe.js";
import type { PinnedModel } from "../../core/model/types.js";
import type { Context } from "../context.js";
import { resolveModel } from "../model.js";
import { composeRelease, composeRollback } from "./compose.js";
import { examineCluster, tryRelease } from "./examine.js";
import { referenceOf, servedImage, verifiedImage } from "./image.js";
import { clusterOf, lookAround, openRun, serviceName, type Access, type Opened } from "./open.js";
import { analysisProblems, canaryProblems, LOOKED_AT, refuseUnmeasurable } from "./problems.js";

/** How far a deployment goes by itself. */
export type Extent =
  /** All the way. */
  | { readonly kind: "whole" }
  /** Until somebody has to say yes: before all requests go there, or at a weight. */
  | { readonly kind: "canary"; readonly until: number | undefined };

/**
 * Brings an image to the cluster: verified, its model pinned, step by step.
 *
 * @throws SlipwayError USAGE or CONFIG when it cannot begin; then nothing was changed.
 */
export async function deploy(
  context: Context,
  access: Access,
  given: string,
  extent: Extent,
): Promise<Ended> {
  const looking = Promise.all([
    verifiedImage(context, access, referenceOf(context, given)),
    refuseUnmeasurable(canaryProblems(context, access.metricsToken !== undefined)),
  ]);
  // It is heard of once the lease is there, which is all that is taken before.
  looking.catch(() => undefined);
  const cluster = await clusterOf(context, access);
  const opened = await openRun(context, access, cluster);
  return await during(opened, async ({ run, world }) => {
    const [image] = await world.busy(() => looking);
    await run.recover("leave");
    const waiting = openRelease(run.records);
    if (waiting)
      throw new SlipwayError(
        "USAGE",
        `Nothing was changed: the canary of release ${waiting.number} waits (${waiting.why ?? ""}). Promote it or abort it first.`,
      );
    refuseForeign(context, opened);
    const model = await world.busy(() =>
      resolveModel(context, access.models, {
        live: run.live?.model,
        attested: image.attested,
      }),
    );
    if (model) tellModel(world.say.bind(world), model);
    const release = await composeRelease(context, cluster, run, {
      ...image,
      model,
      by: access.by,
      run: access.run,
    });
    const { live } = run;
    if (
      live &&
      isSame(live, release) &&
      run.seen.stable?.complete &&
      run.seen.stable.release === live.number
    ) {
      world.say(`release ${live.number} is this already: nothing to do`);
      return { outcome: "done", release: live };
    }
    const alone = await stillNothingToCompare(run);
    const { noCanary, lost } = passage(live, release, alone);
    if (lost) throw new SlipwayError("USAGE", `Nothing was changed: ${lost.why}. ${lost.instead}.`);
    // Whoever has to say yes is asked, also when nothing can be compared: a canary that waits hurts nobody.
    const waits = extent.kind === "canary" && alone !== undefined && noCanary === alone;
    if (waits) refuseOccupied(run.seen, alone);
    const brought = { release, live, seen: run.seen };
    refuseUnfit(
      "Nothing was changed",
      await world.busy(() => examineCluster(context, cluster, brought, true)),
    );
    if (noCanary !== undefined && !waits) {
      world.say(`release ${release.number} goes without a canary: ${noCanary}`);
      return await replace(run, release);
    }
    // The route that weighs is the one that is there.
    const route = live?.config.route ?? release.config.route;
    const config = { ...release.config, route: { ...route, header: release.config.route.header } };
    const steps = stepsOf(config, release.replicas);
    if (waits) return await rollOut(run, release, { steps, done: 0, stop: 0, alone });
    world.say(
      `release ${release.number} of ${release.service}: ${steps.map(shareText).join(", then ")} of the requests`,
    );
    const stop = extent.kind === "canary" ? stepsBeforeApproval(steps, extent.until) : undefined;
    return await rollOut(run, release, { steps, done: 0, stop });
  });
}

/**
 * Gives a waiting canary what is left of its steps, then everything.
 *
 * @param digest The image that somebody said yes to.
 * @throws SlipwayError USAGE when it is not what waits, CONFIG when what is left of its steps cannot be
 *   analysed; then nothing was changed.
 */
export async function promote(
  context: Context,
  access: Access,
  digest: string | undefined,
): Promise<Ended> {
  const cluster = await clusterOf(context, access);
  const opened = await openRun(context, access, cluster);
  return await during(opened, async ({ run, world }) => {
    await run.recover("leave");
    const { live } = run;
    const wanted = digest?.slice(digest.indexOf("@") + 1);
    if (
      live &&
      wanted !== undefined &&
      live.reference.endsWith(wanted) &&
      !openRelease(run.records)
    ) {
      world.say(`release ${live.number} is live already: there was nothing to compare it with`);
      return { outcome: "done", release: live };
    }
    const waiting = promotable(run.records, run.seen, digest, new Date());
    await world.busy(() => verifiedImage(context, access, waiting.reference));
    // Since its own trial somebody may have scaled, or set, what it is about to apply.
    const { objects, said } = await world.busy(() =>
      tryRelease(context, cluster, { release: waiting, live, seen: run.seen }),
    );
    refuseUnfit("Nothing was promoted", trialFindings(objects, said));
    const route = live?.config.route ?? waiting.config.route;
    const config = { ...waiting.config, route: { ...route, header: waiting.config.route.header } };
    const steps = stepsOf(config, waiting.replicas);
    const why = await stillNothingToCompare(run);
    if (why !== undefined) world.say(`release ${waiting.number} gets everything at once: ${why}`);
    const done = why === undefined ? waiting.steps.length : steps.length;
    const hasToken = access.metricsToken !== undefined;
    if (steps.slice(done).some(({ analysis }) => analysis))
      await world.busy(() =>
        refuseUnmeasurable(analysisProblems(context, LOOKED_AT.canary, hasToken)),
      );
    return await rollOut(run, { ...waiting, run: access.run }, { steps, done });
  });
}

/**
 * Brings an earlier release back, as it was recorded: image, manifests and model.
 *
 * @param target Number, tag or digest; undefined for the last good one.
 * @param watched The release that failed while it was watched: only that one is to be gone back from.
 * @throws SlipwayError USAGE when there is none, going back would change nothing, or what was watched is
 *   not what serves any more.
 */
export async function rollback(
  context: Context,
  access: Access,
  target: string | undefined,
  {
    skipVerification = false,
    watched,
  }: { readonly skipVerification?: boolean; readonly watched?: number },
): Promise<Ended> {
  const cluster = await clusterOf(context, access);
  // A person's ends a delivery that is under way, as abort does; a watch has nothing to say to another run.
  const opened = await openRun(context, access, cluster, { force: watched === undefined });
  return await during(opened, async ({ run, world }) => {
    // What refuses it is found before anything is taken back for it.
    if (watched !== undefined) refuseOvertaken(run.records, watched, true);
    const found = rollbackTarget(run.records, target);
    const verified = skipVerification
      ? "not verified: --skip-verification"
      : (await world.busy(() => servedImage(context, access, found.reference))).verified;
    await run.recover("take back", undefined, "a rollback was asked for");
    const release = composeRollback(run, found, { verified, by: access.by, run: access.run });
    const { objects, said } = await world.busy(() =>
      tryRelease(context, cluster, { release, live: run.live, seen: run.seen }),
    );
    const findings = emergencyFindings(objects, said);
    refuseUnfit("Nothing was rolled back", findings);
    for (const { warning, found: text } of findings) if (warning) world.say(`warning: ${text}`);
    const lost = run.live && portsLost(run.live, release, false);
    if (lost) world.say(`warning: requests may fail until it serves alone: ${lost.why}`);
    world.say(`going back to release ${found.number} (${found.tag ?? found.reference})`);
    return await replace(run, release);
  });
}

/**
 * Ends whatever is under way: the requests go back to what is live, the canary is removed.
 *
 * @param only What of it; all else is left alone, which is an error when a run was named.
 */
export async function abort(context: Context, access: Access, only: Abortable): Promise<Ended> {
  const cluster = await clusterOf(context, access);
  if (Object.values(only).some(Boolean)) {
    const { records, holder } = await lookAround(context, cluster);
    const why = leftAlone(records, holder, only);
    const last = liveRelease(records) ?? records.at(-1);
    if (why !== undefined && last && only.run === undefined)
      return { outcome: "done", release: last };
    if (why !== undefined) throw new SlipwayError("USAGE", `Nothing was aborted: ${why}.`);
  }
  const opened = await openRun(context, access, cluster, { force: true });
  return await during(opened, async ({ run }) => {
    const open = openRelease(run.records);
    const amiss = await run.recover(waitingCanary(only), "aborted", `${access.by} aborted it`);
    if (amiss !== undefined)
      throw new SlipwayError(
        "DELIVERY",
        `${run.seen.leftovers ? "The canary stays" : "The canary is gone"}, and not all is well: ${amiss}`,
      );
    const ended = run.records.find(({ number }) => number === open?.number) ?? run.live;
    if (ended) return { outcome: "done", release: ended };
    throw new SlipwayError(
      "USAGE",
      `Nothing was aborted: there is no release of ${serviceName(context)} yet.`,
    );
  });
}

/** Works with the lease, and gives it back however that ends. */
async function during(opened: Opened, work: (opened: Opened) => Promise<Ended>): Promise<Ended> {
  const { world, cluster } = opened;
  let ended: Ended;
  try {
    ended = await work(opened);
  } catch (error) {
    // When the cluster is away the lease runs out by itself.
    if (!(error instanceof LeaseLost)) await world.end().catch(() => undefined);
    throw error;
  }
  await world.end();
  return { ...ended, release: { ...ended.release, calls: cluster.starts } };
}

/** What the cluster would not take is known before anything is touched. */
function refuseUnfit(what: string, findings: readonly Finding[]): void {
  const bad = findings.filter(({ ok }) => !ok);
  if (bad.length > 0) throw new SlipwayError("USAGE", `${what}.\n${findingsTable(bad)}`);
}

/** What Slipway did not make it does not take over unasked. */
function refuseForeign(context: Context, { run }: Opened): void {
  if (run.live || !run.seen.stable || run.seen.stable.release > 0) return;
  const name = serviceName(context);
  throw new SlipwayError(
    "USAGE",
    `Nothing was changed: there is a Deployment ${name} that Slipway did not make. Give deploy.name another name and move the requests over, or delete that Deployment first.`,
  );
}

function tellModel(say: (text: string) => void, model: PinnedModel): void {
  say(`model ${modelLine(model)}`);
  for (const warning of model.warnings) say(`warning: ${warning}`);
}
