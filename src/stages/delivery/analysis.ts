import type { Secret } from "@dagger.io/dagger";

import { readEvidence } from "../../core/analysis/evidence.js";
import { analysisErrored, judge } from "../../core/analysis/judge.js";
import { isLoadStep, planOf, type AnalysisPlan } from "../../core/analysis/plan.js";
import { askedOf, type Asked, type Labels } from "../../core/analysis/queries.js";
import type { Analysis, Track } from "../../core/analysis/types.js";
import { TRACK } from "../../core/delivery/objects/index.js";
import { SlipwayError } from "../../core/errors.js";
import { lastLines } from "../../core/text.js";
import type { Context } from "../context.js";
import { LONGEST_REPORT } from "../execution.js";
import type { Cluster } from "../kubectl.js";
import { SCRIPTS, withProxy } from "../scripts.js";
import { hostOf, labelsOf, runOnPods, selectorOf, withPods, type AnalysisTarget } from "./pods.js";
import { analysisRequests } from "./requests.js";

const SENT = "requests.log";

/** The mounted secret that goes with queries whose `token` says so. */
const TOKEN = "/run/secrets/metrics";

export interface AnalysisOptions {
  /** Seconds to compare. @default analysis.duration */
  readonly seconds?: number | undefined;
  /** Whether the load test follows. @default at the first analysed weight, when analysis.load.rate is set */
  readonly load?: boolean | undefined;
  /** Bearer token of the metrics server; it goes to no other. @default none */
  readonly metricsToken?: Secret | undefined;
}

/**
 * Looks at a canary once: sends the same requests to it and to stable, asks for metrics, sees its pods,
 * and judges all of it. To pause, and to repeat what errored, is the caller's (`nextMeasurement`).
 *
 * @returns outcome `errored` when what looks did not work.
 * @throws SlipwayError CONFIG when the recorded requests or the queries are wrong, which `analysisProblems`
 *   finds before anything is touched.
 */
export async function analyse(
  context: Context,
  cluster: Cluster,
  target: AnalysisTarget,
  options: AnalysisOptions = {},
): Promise<Analysis> {
  const { config } = context;
  const { name, release, weight } = target;
  const hasStable = target.stable !== undefined;
  const tracks: Track[] = hasStable ? ["canary", "stable"] : ["canary"];
  const plan = planOf(config.analysis, {
    tracks,
    requests: await analysisRequests(context),
    host: hostOf(context, name),
    seconds: options.seconds,
    load: options.load ?? isLoadStep(config.deploy, weight),
  });
  const places = { namespace: cluster.namespace, name, release: `${release}` };
  const labels = labelsOf(target);
  const token = options.metricsToken;
  const asked = askedOf(config.analysis, places, labels, token !== undefined);
  const began = new Date();
  try {
    return await look(context, cluster, target, {
      plan,
      asked,
      labels,
      token,
      began,
    });
  } catch (error) {
    if (error instanceof SlipwayError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    return analysisErrored(`the analysis did not run: ${lastLines(why)}`, began);
  }
}

interface LookInputs {
  readonly plan: AnalysisPlan;
  readonly asked: readonly Asked[];
  readonly labels: Labels;
  readonly token: Secret | undefined;
  readonly began: Date;
}

async function look(
  context: Context,
  cluster: Cluster,
  target: AnalysisTarget,
  { plan, asked, labels, token, began }: LookInputs,
): Promise<Analysis> {
  const specification = {
    namespace: cluster.namespace,
    port: target.port,
    selector: selectorOf(target, target.canary, target.stable),
    label: TRACK,
    tracks: labels,
    asked,
    warmup: plan.k6.warmupSeconds,
    polls: plan.polls,
    end: plan.end,
    limit: plan.limit,
    k6: plan.k6,
  };
  const container = withPods(context, cluster, "k6").with((each) =>
    token === undefined ? each : each.withMountedSecret(TOKEN, token),
  );
  const { report, bytes, out, ...ended } = await runOnPods(
    container,
    withProxy("load", `${SCRIPTS}/load.js`),
    specification,
    { report: "observation.json", other: SENT },
  );
  const isRead = bytes !== undefined && bytes <= LONGEST_REPORT;
  const requests = isRead ? await out.file(SENT).contents() : undefined;
  const evidence = readEvidence({ observation: report, requests, bytes, ...ended });
  if (typeof evidence === "string") return analysisErrored(evidence, began);
  const { config } = context;
  return judge({ config: config.analysis, plan, ...evidence, hasModel: config.model.enabled });
}
