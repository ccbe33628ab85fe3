import { queryProblems, type Labels } from "../../core/analysis/queries.js";
import { SlipwayError, type Problem } from "../../core/errors.js";
import type { Context } from "../context.js";
import { serviceName } from "./open.js";
import { analysisRequests } from "./requests.js";
import { smokeProblems } from "./smoke.js";

/** The tracks that a canary's analysis looks at, and a watch's. */
export const LOOKED_AT = {
  canary: { canary: "canary", stable: "stable" },
  live: { canary: "stable" },
} as const satisfies Record<string, Labels>;

/**
 * Everything that keeps an analysis from being made, whatever the cluster is like: the recorded requests,
 * the queries, and for whom the token is.
 *
 * @param hasToken Whether there is a token for the metrics server.
 */
export async function analysisProblems(
  context: Context,
  labels: Labels,
  hasToken: boolean,
): Promise<Problem[]> {
  const { analysis, deploy } = context.config;
  // No release has a number yet: whatever it is, it fills in as much.
  const places = { namespace: deploy.namespace, name: serviceName(context), release: "1" };
  return [
    ...(await requestProblems(context)),
    ...queryProblems(analysis, places, labels, hasToken),
  ];
}

/** Everything that keeps a canary from being tested and analysed, whatever the cluster is like. */
export async function canaryProblems(context: Context, hasToken: boolean): Promise<Problem[]> {
  const [analysis, smoke] = await Promise.all([
    analysisProblems(context, LOOKED_AT.canary, hasToken),
    smokeProblems(context),
  ]);
  return [...analysis, ...smoke];
}

/**
 * Refuses what could not be tested or analysed.
 *
 * @throws SlipwayError CONFIG when there are problems; then nothing was changed.
 */
export async function refuseUnmeasurable(finding: Promise<readonly Problem[]>): Promise<void> {
  const problems = await finding;
  if (problems.length === 0) return;
  const message =
    "Nothing was changed: no analysis or smoke test could be made. `slipway validate` tells it too.";
  throw new SlipwayError("CONFIG", message, problems);
}

async function requestProblems(context: Context): Promise<readonly Problem[]> {
  try {
    await analysisRequests(context);
    return [];
  } catch (error) {
    if (!(error instanceof SlipwayError)) throw error;
    if (error.problems.length > 0) return error.problems;
    return [{ source: "recorded requests", message: error.message }];
  }
}
