// k6: the same requests to canary and stable, side by side; a line for each, which are judged later.
import exec from "k6/execution";
import http from "k6/http";

const plan = JSON.parse(open(__ENV.SLIPWAY_PLAN));
// The ways to the pods of each version: {"canary": [{"way": 0, "port": 40001}], "stable": [...]}.
const ways = JSON.parse(open(__ENV.SLIPWAY_WAYS));

// Seconds of the warm-up that went by while the ways were opened: it is shorter by them.
const spent = Number(__ENV.SLIPWAY_SPENT);
const warmupSeconds = plan.warmupSeconds - spent;

// Answers of so many rounds are kept, to see whether a version agrees with itself.
const KEPT_ROUNDS = 2;

export const options = {
  ...plan.options,
  scenarios: Object.fromEntries(Object.entries(plan.options.scenarios).map(sooner)),
};

function sooner([name, scenario]) {
  const key = scenario.env.PHASE === "compare" ? "duration" : "startTime";
  return [name, { ...scenario, [key]: `${parseFloat(scenario[key]) - spent}s` }];
}

export function send() {
  const { TRACK: track, PHASE: phase } = __ENV;
  const { iterationInTest: iteration, startTime } = exec.scenario;
  const round = Math.floor(iteration / plan.requests.length);
  const index = iteration % plan.requests.length;
  const request = plan.requests[index];
  // Shifted by the round: otherwise a request might always go to the same pod.
  const { way, port } = ways[track][(index + round) % ways[track].length];
  const at = Date.now();
  const isWarmup = phase === "compare" && at - startTime < warmupSeconds * 1000;
  const part = isWarmup ? "warmup" : phase;
  // Requests since the end of the warm-up, whose answers count for nothing.
  const since = iteration - plan.rate * warmupSeconds;
  const kept = part === "compare" && request.keep && since < KEPT_ROUNDS * plan.requests.length;
  const wanted = request.status
    ? http.expectedStatuses(request.status)
    : http.expectedStatuses({ min: 100, max: 399 });
  const answer = http.request(
    request.method,
    `http://127.0.0.1:${port}${request.path}`,
    request.body ?? null,
    {
      headers: { Host: plan.host, "User-Agent": "slipway-analysis", ...request.headers },
      timeout: `${plan.timeoutSeconds}s`,
      redirects: 0,
      responseType: kept ? "text" : "none",
      responseCallback: wanted,
      // The threshold that ends a look early asks for it.
      tags: { phase: part },
    },
  );
  const ok = request.status
    ? answer.status === request.status
    : answer.status >= 100 && answer.status < 400;
  // The time of a request without an answer is what the caller waited for.
  const ms = answer.status === 0 ? Date.now() - at : answer.timings.duration;
  const body = kept ? textOf(answer) : null;
  const line = [track, part, index, way, answer.status, ok ? 1 : 0, ms, at, body];
  console.log(JSON.stringify(line));
}

/** An answer; false when it is too long, as half of one says nothing. */
function textOf(answer) {
  const text = answer.body ?? "";
  return text.length > plan.longestAnswer ? false : text;
}

export function handleSummary(data) {
  const crossed = Object.entries(data.metrics).flatMap(([metric, { thresholds = {} }]) =>
    Object.entries(thresholds)
      .filter(([, { ok }]) => !ok)
      .map(([expression]) => `${metric} ${expression}`),
  );
  return { [__ENV.SLIPWAY_SUMMARY]: JSON.stringify(crossed) };
}
