import type { Service } from "@dagger.io/dagger";

import { readSmoke, type Smoke, type SmokeResult } from "../../core/analysis/smoke.js";
import type { Config } from "../../core/config/schema.js";
import type { Problem } from "../../core/errors.js";
import { lastLines } from "../../core/text.js";
import type { Context } from "../context.js";
import { newAttempt } from "../execution.js";
import type { Cluster } from "../kubectl.js";
import { collectTests, runTests } from "../test.js";
import { withProxy } from "../scripts.js";
import { hostOf, runOnPods, selectorOf, withPods, type AnalysisTarget } from "./pods.js";

const REPORT = "smoke.json";

/** Under this name the project's tests reach the canary. */
const ALIAS = "canary";

/** Exit codes of pytest: it was asked for something that there is not, or found no test. */
const USAGE = 4;
const NO_TESTS = 5;

/**
 * Sends `deploy.smoke.requests` to each pod of the canary, with retries, and runs the project's tests
 * with `deploy.smoke.markers` against it. What cannot be asked is not well.
 */
export async function smoke(
  context: Context,
  cluster: Cluster,
  target: AnalysisTarget,
): Promise<Smoke> {
  const asked = await smokeRequests(context, cluster, target).catch(failed);
  if (!asked.ok || context.config.deploy.smoke.markers === "") return asked;
  const tested = await smokeTests(context, cluster, target).catch(failed);
  return {
    ok: tested.ok,
    results: [...asked.results, ...tested.results],
    why: tested.ok ? `${asked.why}; ${tested.why}` : tested.why,
  };
}

function failed(error: unknown): Smoke {
  const why = error instanceof Error ? error.message : String(error);
  return { ok: false, results: [], why: `the smoke tests did not run: ${lastLines(why)}` };
}

async function smokeRequests(
  context: Context,
  cluster: Cluster,
  target: AnalysisTarget,
): Promise<Smoke> {
  const { deploy } = context.config;
  const configured = deploy.smoke.requests;
  const requests: Partial<(typeof configured)[number]>[] =
    configured.length > 0 ? configured : [{ method: "GET", path: deploy.readiness, status: 200 }];
  const { retries } = deploy.smoke;
  const specification = {
    namespace: cluster.namespace,
    selector: selectorOf(target, target.canary),
    port: target.port,
    host: hostOf(context, target.name),
    retries,
    requests,
  };
  const container = withPods(context, cluster);
  const command = withProxy("smoke");
  const { exitCode, stderr, report } = await runOnPods(container, command, specification, {
    report: REPORT,
  });
  if (report !== undefined) return readSmoke(report, requests.length);
  const why = `the smoke requests ended with ${exitCode}: ${lastLines(stderr)}`;
  return { ok: false, results: [], why };
}

/**
 * What keeps the project's smoke tests from being run, whatever the canary is like: their markers. Tests
 * that ask the canary when they are imported are not known before there is one.
 *
 * @throws SlipwayError PROJECT or LOCK when the project cannot be installed.
 */
export async function smokeProblems(context: Context): Promise<Problem[]> {
  const { markers } = context.config.deploy.smoke;
  if (markers === "") return [];
  const { exitCode, stdout, stderr } = await collectTests(forSmoke(context), (container) =>
    container.withEnvVariable("SLIPWAY_TARGET", addressOf(context.config.build)),
  );
  const said: Readonly<Record<number, string>> = {
    [USAGE]: `pytest cannot look for them: ${lastLines(`${stdout}\n${stderr}`, 1)}`,
    [NO_TESTS]: "none of the project's tests is marked so",
  };
  const message = said[exitCode];
  return message === undefined
    ? []
    : [{ source: "deploy.smoke.markers", key: `"${markers}"`, message }];
}

/** The project's own tests, in their own container: the cluster's credentials are not in it. */
async function smokeTests(
  context: Context,
  cluster: Cluster,
  target: AnalysisTarget,
): Promise<Smoke> {
  const { markers } = context.config.deploy.smoke;
  const began = Date.now();
  const { result } = await runTests({ ...forSmoke(context), attempt: newAttempt() }, (container) =>
    container
      .withServiceBinding(ALIAS, tunnel(context, cluster, target))
      .withEnvVariable("SLIPWAY_TARGET", addressOf(target)),
  );
  const ok = result.state === "PASSED";
  const count = result.tests?.tests ?? 0;
  const why = ok ? "" : (result.reason ?? result.state.toLowerCase());
  const summary: SmokeResult = {
    ...{ pod: "", request: `pytest -m "${markers}"`, status: 0, tries: 1 },
    ...{ ms: Date.now() - began, ok, why },
  };
  return {
    ok,
    results: [summary],
    why: ok ? `${count} of the project's tests passed` : `the project's tests: ${why}`,
  };
}

/** The project's tests as they are run against a canary. */
function forSmoke(context: Context): Context {
  const { config } = context;
  const test: Config["test"] = {
    ...config.test,
    markers: config.deploy.smoke.markers,
    shard: undefined,
    coverage: { ...config.test.coverage, enabled: false },
  };
  return { ...context, config: { ...config, test } };
}

function addressOf({ port }: { readonly port: number }): string {
  return `http://${ALIAS}:${port}`;
}

/** A pod of the canary as a service of other containers. */
function tunnel(context: Context, cluster: Cluster, target: AnalysisTarget): Service {
  const selector = selectorOf(target, target.canary);
  return withPods(context, cluster)
    .withEnvVariable("SLIPWAY_ATTEMPT", newAttempt())
    .withExposedPort(target.port)
    .asService({
      args: withProxy("tunnel", cluster.namespace, selector, `${target.port}`),
    });
}
