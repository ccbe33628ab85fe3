import type { Config } from "../config/schema.js";
import {
  againstStable,
  againstThreshold,
  isAbove,
  rounded,
  seen,
  sureWords,
  words,
  type Rules,
} from "./judgement.js";
import {
  clopperPearson,
  confidenceAbove,
  confidenceOfDifference,
  detectableRate,
  fisherExact,
  type Count,
} from "./statistics/proportions.js";
import type { Measure } from "./types.js";

/**
 * The share of requests that succeed: against `success.minimum` by the exact binomial test, against
 * stable by Fisher's exact test and Newcombe's interval of the difference.
 *
 * @param canary Requests that failed, of all.
 */
export function judgeSuccess(
  canary: Count,
  stable: Count | undefined,
  config: Config["analysis"],
): Measure[] {
  const absolute = judgeRate("success", canary, 100 - config.success.minimum, config);
  return stable ? [absolute, compare(canary, stable, config)] : [absolute];
}

/**
 * A share of failures against the greatest that is allowed, in percent; reported as the share that succeeds.
 */
export function judgeRate(metric: string, failures: Count, allowed: number, rules: Rules): Measure {
  const limit = allowed / 100;
  const rate = failures.hits / failures.of;
  const common = {
    metric,
    unit: "%",
    ...seen("canary", 100 * (1 - rate)),
    threshold: rounded(100 - allowed),
  };
  if (failures.of < rules.minimum)
    return { ...common, outcome: "inconclusive", why: tooFew(failures.of, rules.minimum) };
  const sure = confidenceAbove(failures, limit);
  const outcome = againstThreshold(isAbove(rate, limit), sure, rules);
  const { lower, upper } = clopperPearson(failures, rules.confidence);
  const least = detectableRate(failures.of, limit, rules.confidence);
  const found = `${failures.hits} of ${failures.of} requests failed (${words(100 * lower)} to ${words(100 * upper)} %), ${words(allowed)} % may`;
  return {
    ...common,
    outcome,
    confidence: rounded(sure),
    method: "exact binomial test, bounds by Clopper and Pearson",
    why:
      outcome === "passed"
        ? `${found}; so many requests would have shown a canary that fails ${words(100 * least)} %`
        : `${found}; ${sureWords(sure)}`,
  };
}

function compare(canary: Count, stable: Count, config: Config["analysis"]): Measure {
  const { minimum } = config;
  const [ours, theirs] = [canary.hits / canary.of, stable.hits / stable.of];
  const margin = config.success.margin / 100;
  const common = {
    metric: "success against stable",
    unit: "%",
    ...seen("canary", 100 * (1 - ours)),
    ...seen("stable", 100 * (1 - theirs)),
    ...seen("threshold", 100 * (1 - theirs) - config.success.margin),
  };
  const fewest = Math.min(canary.of, stable.of);
  if (fewest < minimum) return { ...common, outcome: "inconclusive", why: tooFew(fewest, minimum) };
  const differs = 1 - fisherExact(canary, stable);
  const beyond = confidenceOfDifference(canary, stable, margin);
  const isSeen = isAbove(ours - theirs, margin);
  const outcome = againstStable(beyond, { seen: isSeen, sure: differs }, config);
  return {
    ...common,
    outcome,
    confidence: rounded(Math.min(differs, beyond)),
    method: "Fisher's exact test, and Newcombe's interval of the difference",
    why: `${canary.hits} of ${canary.of} requests failed, of stable ${stable.hits} of ${stable.of}: ${words(100 * (ours - theirs))} percentage points more, ${words(config.success.margin)} may be; ${sureWords(differs)} that they differ, ${sureWords(beyond)} by more than that`,
  };
}

/** Why nothing counts yet. */
export function tooFew(made: number, minimum: number): string {
  return made === 0
    ? "no request was answered or refused: there is nothing to judge"
    : `${made} requests are too few, ${minimum} are needed (analysis.minimum)`;
}
