import type { ModelGate } from "../config/model.js";
import type { Metrics } from "./registry.js";
import type { GateResult } from "./types.js";

/** The version that serves now. */
export interface Champion {
  readonly version: string;
  /** Its model, where that is another one. */
  readonly of?: string;
  readonly metrics: Metrics;
}

/**
 * Judges a version's metrics. A metric that is missing, NaN or infinite holds no gate; without a
 * champion there is nothing to be worse than.
 *
 * @param champion "itself" when the version is the champion.
 */
export function judge(
  gates: readonly ModelGate[],
  metrics: Metrics,
  champion: Champion | "itself" | undefined,
): GateResult[] {
  return gates.map((gate) => judgeOne(gate, metrics[gate.metric], champion));
}

function judgeOne(
  gate: ModelGate,
  value: number | undefined,
  champion: Champion | "itself" | undefined,
): GateResult {
  const { metric } = gate;
  if (value === undefined || !Number.isFinite(value)) {
    const why =
      value === undefined ? "the run has no such metric" : `${value} is nothing to compare`;
    return { metric, ok: false, why };
  }
  const bounds = [
    ...(gate.minimum === undefined
      ? []
      : [{ ok: value >= gate.minimum, why: `at least ${gate.minimum}` }]),
    ...(gate.maximum === undefined
      ? []
      : [{ ok: value <= gate.maximum, why: `at most ${gate.maximum}` }]),
  ];
  const compared = gate.champion ? compare(gate, value, champion) : undefined;
  const parts = [...bounds, ...(compared ? [compared] : [])];
  return {
    ...{ metric, value },
    ok: parts.every(({ ok }) => ok),
    why: `${value}, wanted ${parts.map(({ why }) => why).join(" and ")}`,
    ...(compared?.value !== undefined && { champion: compared.value }),
  };
}

function compare(
  { metric, tolerance, greaterIsBetter }: ModelGate,
  value: number,
  champion: Champion | "itself" | undefined,
): { ok: boolean; why: string; value?: number } {
  if (champion === undefined)
    return { ok: true, why: "no champion's to compare with: there is none" };
  if (champion === "itself") return { ok: true, why: "the champion's, which it is itself" };
  const other = champion.metrics[metric];
  const model = champion.of === undefined ? "" : ` of ${champion.of}`;
  const named = `version ${champion.version}${model}, the champion`;
  if (other === undefined || !Number.isFinite(other))
    return { ok: false, why: `what ${named}, has; its run has no ${metric} that can be compared` };
  // Decimal fractions: 0.95 - 0.01 is a little less than 0.94.
  const slack = tolerance + 1e-12 * Math.max(1, Math.abs(other));
  const ok = greaterIsBetter ? value >= other - slack : value <= other + slack;
  const within = tolerance === 0 ? "" : `, within ${tolerance}`;
  return { ok, value: other, why: `the ${other} of ${named}${within}` };
}
