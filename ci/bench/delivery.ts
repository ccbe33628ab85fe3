import { join } from "node:path";

import { readReleases } from "../../src/core/delivery/release.js";
import { failuresOf, startTraffic, type Traffic } from "../sandbox/traffic.js";
import { enter, typed, type Ground } from "./ground.js";
import { atMost, median, shown, timed, type Section } from "./measure.js";
import { besideOthers } from "./others.js";
import { FLOWER, hostOf, writeProject } from "./project.js";
import { watchAnswers, watchFailures, watchReadiness } from "./watches.js";

const NAME = "orders";

/** Seconds of one analysis, its warm-up among them; other than the defaults, so that a run is not too long. */
const ANALYSIS = { warmup: 1, duration: 9 };
const INTERVAL_MS = (ANALYSIS.warmup + ANALYSIS.duration) * 1000;
const KEEP = 5;
const DRAIN = 2;
const STEPS = [10, 50, 100];

/**
 * What is declared to be waited for in a canary of three steps. The old pods are kept from when all
 * requests go to the canary, which passes while that is analysed.
 */
const DECLARED_MS =
  STEPS.length * INTERVAL_MS + Math.max(0, KEEP * 1000 - INTERVAL_MS) + DRAIN * 1000;

/** What one round gave; times in milliseconds. */
interface Round {
  readonly canary: number;
  /** Of it, beyond what is declared and the pods' readiness. */
  readonly beyond: number;
  readonly calls: number;
  readonly requests: number;
  /** From the first error of a broken canary to its last. */
  readonly broken: number;
  /** Share of the requests meanwhile that got one, in percent. */
  readonly lost: number;
  readonly rollback: number;
  /** From its start until the last answer of what is taken back. */
  readonly back: number;
  readonly failed: number;
}

/** `slipway deploy` as typed: a canary of three steps, one that is taken back, a rollback. */
export async function delivery(scratch: string, times: number): Promise<Section> {
  const ground = await enter(scratch);
  const rounds: Round[] = [];
  try {
    const project = join(scratch, "project");
    await writeProject(project, {
      ...{ name: NAME, namespace: ground.namespace, steps: STEPS },
      ...{ keep: KEEP, drain: DRAIN, analysis: ANALYSIS },
    });
    await typed(ground, project, "deploy", "v1");
    for (let index = 0; index < times; index++)
      rounds.push({
        ...(await goodCanary(ground, project)),
        ...(await brokenCanary(ground, project)),
        ...(await goingBack(ground, project)),
      });
  } finally {
    await ground.leave();
  }
  const middle = (key: keyof Round): number => median(rounds.map((round) => round[key]));
  return {
    title: "A delivery, on the sandbox's cluster",
    how: `medians of ${times}; \`slipway\` as typed, from its start to its end, with verification; a service of two pods behind Contour; steps of ${STEPS.join(", ")} %, each analysed for ${INTERVAL_MS / 1000} s; the old pods kept for ${KEEP} s, which pass in the last analysis, and drained for ${DRAIN} s; pod readiness is the time in which a pod of either Deployment that is wanted was not available: ready for the second that its Deployment asks for. Of others only what they document, not run here`,
    rows: [
      { what: "a canary of three steps", value: shown(middle("canary")) },
      atMost("of it beyond pauses, analyses and pod readiness", middle("beyond"), 5000),
      { what: "starts of kubectl, besides the ways to the pods", value: String(middle("calls")) },
      { what: "requests to the API server", value: String(middle("requests")) },
      atMost(
        "a canary that fails half of its requests: from the first error to the last; goal: one analysis and 3 s",
        middle("broken"),
        INTERVAL_MS + 3000,
      ),
      { what: "of all requests meanwhile, errors", value: `${middle("lost").toFixed(1)} %` },
      ...besideOthers({ weight: STEPS[0] ?? 0, seconds: middle("broken") / 1000 }),
      atMost("rollback: until the last answer of what is taken back", middle("back"), 10_000),
      { what: "rollback: the whole command", value: shown(middle("rollback")) },
      atMost(
        "rollback: requests that failed, in all rounds",
        rounds.reduce((sum, { failed }) => sum + failed, 0),
        0,
        String,
      ),
    ],
  };
}

async function goodCanary(
  ground: Ground,
  project: string,
): Promise<Pick<Round, "canary" | "beyond" | "calls" | "requests">> {
  const before = await ground.requests();
  const readiness = watchReadiness(ground.api, ground.namespace, [NAME, `${NAME}-canary`]);
  const canary = await timed(() => typed(ground, project, "deploy", "v2"));
  const beyond = canary - DECLARED_MS - (await readiness.stop());
  const requests = (await ground.requests()) - before;
  return { canary, beyond, requests, calls: await callsOf(ground) };
}

async function brokenCanary(
  ground: Ground,
  project: string,
): Promise<Pick<Round, "broken" | "lost">> {
  const traffic = use(ground);
  const errors = watchFailures(traffic);
  await typed(ground, project, "deploy", "errors-50", { expect: 1 });
  const { first, last } = await errors.stop();
  const counts = await traffic.stop();
  return { broken: last - first, lost: (100 * failuresOf(counts)) / counts.requests };
}

async function goingBack(
  ground: Ground,
  project: string,
): Promise<Pick<Round, "rollback" | "back" | "failed">> {
  const traffic = use(ground);
  const old = watchAnswers(traffic, "v2");
  const began = performance.now();
  await typed(ground, project, "rollback");
  const rollback = performance.now() - began;
  const back = (await old.stop()).last - began;
  return { rollback, back, failed: failuresOf(await traffic.stop()) };
}

/** Somebody asks for predictions. */
function use({ cluster, namespace }: Ground): Traffic {
  return startTraffic({
    url: `${cluster.gateway}/predict`,
    host: hostOf({ name: NAME, namespace }),
    body: { instances: [FLOWER] },
    pause: 20,
  });
}

/** Calls of kubectl of the newest release, as its record says. */
async function callsOf({ cluster, namespace }: Ground): Promise<number> {
  const list = await cluster.kubectl([
    ...["get", "secrets", "--namespace", namespace, "--selector=owner=slipway", "--output=json"],
  ]);
  return readReleases(list).at(-1)?.calls ?? NaN;
}
