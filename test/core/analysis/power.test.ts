// The table of docs/analysis.md, computed anew: what so many requests can see.
import { readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { combined } from "../../../src/core/analysis/judgement.js";
import { logChoose } from "../../../src/core/analysis/statistics/special.js";
import { judgeSuccess } from "../../../src/core/analysis/success.js";
import type { Outcome } from "../../../src/core/analysis/types.js";
import { configured } from "./support.js";

const test = suite("power of an analysis");

const OUTCOMES: readonly Outcome[] = ["passed", "inconclusive", "failed"];

/** Outcome of the success measures by the number of failures, against a stable version without any. */
function outcomes(of: number): (hits: number) => Outcome {
  const known = new Map<number, Outcome>();
  const config = configured();
  return (hits) => {
    const found =
      known.get(hits) ??
      combined(judgeSuccess({ hits, of }, { hits: 0, of }, config).map(({ outcome }) => outcome));
    known.set(hits, found);
    return found;
  };
}

function chances(rate: number, of: number, outcome: (hits: number) => Outcome): string[] {
  const sums: Record<string, number> = {};
  for (let hits = 0; hits <= of; hits++) {
    const p = Math.exp(
      logChoose(of, hits) + hits * Math.log(rate) + (of - hits) * Math.log1p(-rate),
    );
    if (p > 1e-9) sums[outcome(hits)] = (sums[outcome(hits)] ?? 0) + p;
  }
  return OUTCOMES.map((one) => `${(100 * (sums[one] ?? 0)).toFixed(1)} %`);
}

test("is_what_the_documentation_says", () => {
  const page = readFileSync(new URL("../../../docs/analysis.md", import.meta.url), "utf8");
  const rows = [...page.matchAll(/^\| *(\d* ?\S*) *\| ([\d.]+) % *\|(.*)\|$/gm)];
  assert.is(rows.length, 7);
  let requests = 0;
  let outcome = outcomes(1);
  for (const [, count = "", rate, cells = ""] of rows) {
    const named = Number.parseInt(count, 10);
    if (!Number.isNaN(named)) {
      requests = named;
      outcome = outcomes(named);
    }
    const said = cells.split("|").map((cell) => cell.trim());
    assert.equal(
      said,
      chances(Number(rate) / 100, requests, outcome),
      `${requests} ${rate ?? ""} %`,
    );
  }
});

test.run();
