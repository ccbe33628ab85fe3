import { shown, type Row } from "./measure.js";

/** A stretch of a canary that is broken and not taken back yet. */
interface Stretch {
  /** Share of the requests that the canary gets, in percent. */
  readonly weight: number;
  readonly seconds: number;
}

interface Documented {
  readonly what: string;
  readonly stretches: readonly Stretch[];
}

/**
 * What others say of themselves; nothing of it was run here. Flagger: "Deployment Strategies", a canary with
 * interval 1m, threshold 10, stepWeight 2, which halts at its first weight and goes back after interval times
 * threshold. Argo Rollouts: "Analysis & Progressive Delivery", background analysis from setWeight 40 on, measured
 * each 5m, three failures; the weight goes on to 60 after 10m.
 */
const OTHERS: readonly Documented[] = [
  {
    what: "Flagger, as its guide's canary is configured",
    stretches: [{ weight: 2, seconds: 600 }],
  },
  {
    what: "Argo Rollouts, as its guide's background analysis is configured",
    stretches: [
      { weight: 40, seconds: 600 },
      { weight: 60, seconds: 300 },
    ],
  },
];

/** Requests a second for which it is told how many are lost. */
const RATE = 100;

/** Share of the canary's answers that are errors. */
const FAILING = 0.5;

/** Requests that get an error until the canary is taken back. */
function lost(stretches: readonly Stretch[]): string {
  const share = stretches.reduce((sum, { weight, seconds }) => sum + (weight / 100) * seconds, 0);
  return String(Math.round(share * RATE * FAILING));
}

/** What was measured beside what others document: the time with errors, and errors of 100 requests a second. */
export function besideOthers(measured: Stretch): Row[] {
  const all = [{ what: "slipway, measured", stretches: [measured] }, ...OTHERS];
  return all.map(({ what, stretches }) => ({
    what: `until it is taken back, and errors of ${RATE} requests a second: ${what}`,
    value: `${shown(1000 * stretches.reduce((sum, { seconds }) => sum + seconds, 0))}, ${lost(stretches)}`,
  }));
}
