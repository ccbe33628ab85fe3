// Reference numbers of scipy 1.17.1; beside each is the call that gave it.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  clopperPearson,
  confidenceAbove,
  detectableRate,
  fisherExact,
  newcombeLower,
} from "../../../../src/core/analysis/statistics/proportions.js";
import {
  confidenceApart,
  neededFor,
  quantile,
  quantileBounds,
} from "../../../../src/core/analysis/statistics/quantiles.js";
import { mannWhitney } from "../../../../src/core/analysis/statistics/ranks.js";
import {
  betaCdf,
  logGamma,
  normalAbove,
  normalQuantile,
} from "../../../../src/core/analysis/statistics/special.js";

const test = suite("statistics");

function near(found: number, wanted: number, relative = 1e-9): void {
  const close = Math.abs(found - wanted) <= relative * Math.max(Math.abs(wanted), 1e-300);
  assert.ok(close, `${found}, expected ${wanted}`);
}

const range = (n: number): number[] => Array.from({ length: n }, (_, index) => index);

test("gives_the_logarithm_of_gamma", () => {
  // scipy.special.gammaln(x)
  near(logGamma(0.3), 1.0957979948180756);
  near(logGamma(1.5), -0.12078223763524526);
  near(logGamma(10), 12.801827480081469);
  near(logGamma(4000.5), 29177.11748852465);
});

test("gives_the_incomplete_beta_function", () => {
  // scipy.special.betainc(a, b, x)
  near(betaCdf(0.3, 2, 5), 0.579825);
  near(betaCdf(0.99, 297, 4), 0.6472337746425393);
  near(betaCdf(0.01, 1, 300), 0.9509591059287141);
  near(betaCdf(0.5, 0.5, 0.5), 0.5);
  near(betaCdf(0.02, 31, 970), 0.012647748346112582);
});

test("gives_tails_and_quantiles_of_the_normal_distribution", () => {
  // scipy.stats.norm.sf(z)
  near(normalAbove(-2.5), 0.9937903346742238);
  near(normalAbove(0), 0.5);
  near(normalAbove(0.5), 0.3085375387259869);
  near(normalAbove(2.9), 0.0018658133003840375);
  near(normalAbove(3.1), 0.0009676032132183563);
  near(normalAbove(6), 9.865876450376946e-10);
  near(normalAbove(10), 7.61985302416047e-24);
  // scipy.stats.norm.ppf(p)
  near(normalQuantile(0.8), 0.8416212335729143);
  near(normalQuantile(0.95), 1.6448536269514722);
  near(normalQuantile(0.999), 3.090232306167813);
});

test("gives_the_bounds_of_clopper_and_pearson", () => {
  // scipy.stats.beta.ppf(1 - c, k, n - k + 1), scipy.stats.beta.ppf(c, k + 1, n - k); the third also
  // scipy.stats.binomtest(15, 300).proportion_ci(0.90, method="exact")
  for (const [hits, of, confidence, lower, upper] of [
    [0, 300, 0.95, 0, 0.009936081944457708],
    [3, 300, 0.95, 0.002731030218207038, 0.025641393082609616],
    [15, 300, 0.95, 0.03106994974485527, 0.07594869829959539],
    [300, 300, 0.99, 0.9847666521101581, 1],
    [1, 3000, 0.8, 7.437841755973875e-5, 0.0009977710833153862],
  ] as const) {
    const bounds = clopperPearson({ hits, of }, confidence);
    near(bounds.lower, lower);
    near(bounds.upper, upper);
  }
});

test("says_how_sure_it_is_that_a_proportion_is_above_a_limit", () => {
  // 1 - scipy.stats.binomtest(k, n, p, alternative="greater").pvalue
  near(confidenceAbove({ hits: 8, of: 300 }, 0.01), 1 - 0.011474078634877684);
  near(confidenceAbove({ hits: 5, of: 300 }, 0.01), 1 - 0.1838888325303633);
  near(confidenceAbove({ hits: 1, of: 20 }, 0.05), 1 - 0.6415140775914578);
  assert.is(confidenceAbove({ hits: 0, of: 300 }, 0.01), 0);
  assert.is(confidenceAbove({ hits: 0, of: 0 }, 0.01), 0);
});

test("compares_two_proportions_by_fishers_exact_test", () => {
  // scipy.stats.fisher_exact([[a, n - a], [b, m - b]], alternative="greater").pvalue
  for (const [a, n, b, m, p] of [
    [5, 300, 0, 300, 0.030729607973087474],
    [15, 300, 2, 300, 0.0010253576824977245],
    [30, 3000, 3, 3000, 6.602841036707104e-7],
    [3, 400, 3, 400, 0.6568388837648585],
    [1, 10, 5, 12, 0.9876160990712074],
  ] as const)
    near(fisherExact({ hits: a, of: n }, { hits: b, of: m }), p, 1e-8);
});

test("bounds_the_difference_of_two_proportions_by_newcombes_interval", () => {
  // d - hypot(p1 - l1, u2 - p2), l and u of scipy.stats.binomtest(k, n).proportion_ci(2 * c - 1, method="wilson")
  for (const [a, n, b, m, confidence, lower] of [
    [15, 300, 0, 300, 0.95, 0.030818892420185994],
    [5, 300, 0, 300, 0.95, 0.00431105327739283],
    // The example of Newcombe's paper (1998): 0.0524.
    [56, 70, 48, 80, 0.975, 0.05243147240236484],
    [30, 3000, 3, 3000, 0.95, 0.0060179344948593115],
  ] as const)
    near(newcombeLower({ hits: a, of: n }, { hits: b, of: m }, confidence), lower);
});

test("ranks_by_mann_and_whitney", () => {
  // scipy.stats.mannwhitneyu(x, y, alternative="greater", method="exact")
  const few = mannWhitney([1.1, 2.3, 3.7, 4.2, 9.9], [0.5, 1.0, 2.2, 2.9, 3.1, 4.0]);
  assert.is(few.u, 22);
  near(few.p, 0.12337662337662336);
  const twenty = mannWhitney(
    range(20).map((i) => 2 * i + 0.55),
    range(20).map((i) => 1.7 * i),
  );
  assert.is(twenty.u, 234);
  near(twenty.p, 0.18443119777210795);
  // ... method="asymptotic"
  const ties = mannWhitney(
    range(40).map((i) => i % 7),
    range(35).map((i) => i % 6),
  );
  assert.is(ties.u, 787.5);
  near(ties.p, 0.17496395778977736);
  const many = mannWhitney(
    range(101).map((i) => ((i * 37) % 101) + 3),
    range(97).map((i) => (i * 53) % 97),
  );
  assert.is(many.u, 5379);
  near(many.p, 0.11684682527146895);
  near(many.superiority, 5379 / (101 * 97));
});

test("takes_infinite_values_as_equal_to_each_other_and_greater_than_the_rest", () => {
  const never = Array<number>(30).fill(Infinity);
  assert.is(mannWhitney(never, never).p, 1);
  assert.ok(mannWhitney(never, range(30)).p < 1e-9);
  assert.is(mannWhitney([], range(3)).p, 1);
});

test("bounds_quantiles_by_order_statistics", () => {
  // Greatest r with scipy.stats.binom.cdf(r - 1, n, p) <= 1 - c, least r with binom.sf(r - 1, n, p) <= 1 - c
  for (const [n, p, confidence, lower, upper] of [
    [400, 0.95, 0.975, 371, 389],
    [400, 0.99, 0.975, 392, 400],
    [72, 0.95, 0.975, 64, 72],
    [10, 0.5, 0.95, 2, 9],
    [300, 0.99, 0.975, 293, Infinity],
  ] as const) {
    const values = range(n).map((index) => index + 1);
    assert.equal(quantileBounds(values, p, confidence), { lower, upper });
  }
  assert.is(neededFor(0.99, 0.975), 368);
  assert.equal(quantileBounds([], 0.5, 0.95), { lower: -Infinity, upper: Infinity });
  assert.is(quantile(range(100), 0.95), 94);
  assert.ok(Number.isNaN(quantile([], 0.95)));
});

test("says_how_sure_it_is_that_quantiles_are_apart", () => {
  const values = range(400);
  assert.is(confidenceApart(values, values, 0.95, 0), 0);
  const slower = values.map((value) => value + 100);
  assert.ok(confidenceApart(slower, values, 0.95, 0) > 0.999);
  assert.is(confidenceApart(slower, values, 0.95, 101), 0);
});

test("says_which_rate_so_many_requests_would_show", () => {
  // 9 of 400 are the fewest that prove more than 1 % (binomtest(9, 400, 0.01, "greater") = 0.0208, 8: 0.0502);
  // the rate at which binom.sf(8, 400, rate) is 0.9.
  near(detectableRate(400, 0.01, 0.95), 0.03228391195955557, 1e-7);
  assert.is(detectableRate(0, 0.01, 0.95), 1);
});

test.run();
