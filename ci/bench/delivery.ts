import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { readReleases } from "../../src/core/delivery/release.js";
import { failuresOf, startTraffic, type Traffic } from "../sandbox/traffic.js";
import { enter, typed, type Ground } from "./ground.js";
import { atMost, median, shown, timed, type Section } from "./measure.js";
import { FLOWER, hostOf, writeProject } from "./project.js";
import { watchAnswers, watchFailures, watchReadiness } from "./watches.js";

const NAME = "orders";

/** Seconds of one analysis, its warm-up among them; other than the defaults, so that a run is not too long. */
const ANALYSIS = { warmup: 1, duration: 9 };
const INTERVAL_MS = (ANALYSIS.warmup + ANALYSIS.duration) * 1000;
const KEEP = 5;
const DRAIN = 2;
const STEPS = [10, 50, 100];

/** What is declared to be waited for in a canary of three steps. */
const DECLARED_MS = STEPS.length * INTERVAL_MS + (KEEP + DRAIN) * 1000;

/** `slipway deploy` as typed: a canary of three steps, one that is taken back, a rollback. */
export async function delivery(scratch: string, times: number): Promise<Section> {
  const ground = await enter(scratch);
  try {
    const { namespace } = ground;
    const project = join(scratch, "project");
    await writeProject(project, {
      ...{ name: NAME, namespace, steps: STEPS, keep: KEEP, drain: DRAIN, analysis: ANALYSIS },
    });
    await typed(ground, project, "deploy", "v1");
    const [whole, beyond, calls, requests]: number[][] = [[], [], [], []];
    const [detected, after, lost, back, rest]: number[][] = [[], [], [], [], []];
    for (let index = 0; index < times; index++) {
      const before = await ground.requests();
      const readiness = watchReadiness(ground.api, namespace, [NAME, `${NAME}-canary`]);
      const took = await timed(() => typed(ground, project, "deploy", "v2"));
      const waited = await readiness.stop();
      whole?.push(took);
      beyond?.push(took - DECLARED_MS - waited);
      requests?.push((await ground.requests()) - before);
      calls?.push(await callsOf(ground));

      const traffic = use(ground);
      const broken = watchFailures(traffic);
      await typed(ground, project, "deploy", "errors-50", { expect: 1 });
      await sleep(500);
      const { first, last } = await broken.stop();
      const counts = await traffic.stop();
      detected?.push(last - first);
      lost?.push((100 * failuresOf(counts)) / counts.requests);

      const rolled = use(ground);
      const old = watchAnswers(rolled, "v2");
      const began = performance.now();
      await typed(ground, project, "rollback");
      rest?.push(performance.now() - began);
      back?.push((await old.stop()).last - began);
      after?.push(failuresOf(await rolled.stop()));
    }
    return {
      title: "A delivery, on the sandbox's cluster",
      how: `medians of ${times}; \`slipway\` as typed, from its start to its end, with verification; a service of two pods behind Contour; steps of ${STEPS.join(", ")} %, each analysed for ${INTERVAL_MS / 1000} s; the old pods kept for ${KEEP} s and drained for ${DRAIN} s; pod readiness is the time in which a pod of either Deployment that is wanted was not ready`,
      rows: [
        { what: "a canary of three steps", value: shown(median(whole ?? [])) },
        atMost("of it beyond pauses, analyses and pod readiness", median(beyond ?? []), 5000),
        { what: "calls of kubectl", value: String(median(calls ?? [])) },
        { what: "requests to the API server", value: String(median(requests ?? [])) },
        atMost(
          "a canary that fails half of its requests: from the first error to the last; goal: one analysis and 3 s",
          median(detected ?? []),
          INTERVAL_MS + 3000,
        ),
        { what: "of all requests meanwhile, errors", value: `${median(lost ?? []).toFixed(1)} %` },
        atMost(
          "rollback: until the last answer of the release taken back",
          median(back ?? []),
          10_000,
        ),
        { what: "rollback: the whole command", value: shown(median(rest ?? [])) },
        atMost("rollback: requests that failed", Math.max(...(after ?? [])), 0, String),
      ],
    };
  } finally {
    await ground.leave();
  }
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
