import type { Config } from "../config/schema.js";
import { replicasFor, routerOf } from "./objects/index.js";

/** One step of the way to all requests. */
export interface Step {
  /** Share of the requests that is asked for, in percent. */
  readonly weight: number;
  /** The share that the canary really gets. */
  readonly percent: number;
  /** Pods of the canary. */
  readonly replicas: number;
  /** Seconds to wait before the analysis. */
  readonly pause: number;
  readonly analysis: boolean;
  /** Whether a header leads to the canary whatever the weight. */
  readonly exposed: boolean;
}

/**
 * The steps of a deployment. A blue-green one has two: a preview, which gets no requests but those of
 * the analysis, in its full size, and everything.
 *
 * @param replicas Pods of the stable release.
 */
export function stepsOf(config: Config["deploy"], replicas: number): Step[] {
  const router = routerOf(config);
  const header = router === "gateway" && config.route.header !== undefined;
  if (config.strategy === "blue-green") {
    const whole = { replicas, pause: 0 };
    return [
      { ...whole, weight: 0, percent: 0, analysis: true, exposed: header },
      { ...whole, weight: 100, percent: 100, analysis: false, exposed: false },
    ];
  }
  return config.steps.map(({ weight, pause, analysis }) => {
    const { canary, percent } = replicasFor(router, replicas, weight);
    return {
      ...{ weight, percent, pause, analysis },
      replicas: canary,
      exposed: header && weight < 100,
    };
  });
}

/**
 * How many of the steps are done before somebody has to say yes: those that leave the stable release
 * some of the requests, at least one.
 *
 * @param until The weight to stop at, in percent, in place of that.
 */
export function stepsBeforeApproval(
  steps: readonly Pick<Step, "weight">[],
  until: number | undefined,
): number {
  const last = steps.findLastIndex(({ weight }) =>
    until === undefined ? weight < 100 : weight <= until,
  );
  return Math.max(1, last + 1);
}

/** `10 %`, and what it really is where that differs: `10 % (33.33 % by whole pods)`. */
export function shareText({ weight, percent }: Pick<Step, "weight" | "percent">): string {
  return percent === weight ? `${weight} %` : `${weight} % (really ${percent} %, by whole pods)`;
}
