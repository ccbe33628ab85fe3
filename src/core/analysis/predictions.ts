import type { Config } from "../config/schema.js";
import { plural } from "../text.js";
import { againstThreshold, isAbove, rounded, sureWords, words } from "./judgement.js";
import { atJsonPath, parseJsonPath } from "./json-path.js";
import type { Sent } from "./observation.js";
import type { RecordedRequest } from "./requests.js";
import { confidenceAbove } from "./statistics/proportions.js";
import type { Measure, Track } from "./types.js";

/** Characters of the longest answer that is kept; of a longer one nobody knows what it predicts. */
export const LONGEST_ANSWER = 16 * 1024;

/** An answer, or undefined when it was longer than what is kept. */
type Answer = string | undefined;

/** What two versions answered to one request. */
type Answers = Readonly<Record<Track, readonly Answer[]>>;

/**
 * Whether canary and stable predict alike on the same requests. A request counts once however often it
 * was recorded and made, and not at all when stable itself answers it now so, now so.
 *
 * @param requests The recorded ones.
 */
export function judgePredictions(
  sent: readonly Sent[],
  requests: readonly RecordedRequest[],
  config: Config["analysis"],
): { readonly measure: Measure; readonly notices: readonly string[] } {
  const { predictions, confidence } = config;
  const path = parseJsonPath(predictions.value) ?? [];
  const read = (body: Answer): unknown[] | undefined => {
    try {
      const found = atJsonPath(JSON.parse(body ?? ""), path);
      return found.length > 0 && found.every((value) => value !== null) ? found : undefined;
    } catch {
      return undefined;
    }
  };
  const alike = (a: Answer, b: Answer): boolean => {
    const [first, second] = [read(a), read(b)];
    return (
      first !== undefined && second !== undefined && equal(first, second, predictions.tolerance)
    );
  };
  const both = [...grouped(sent, requests)].filter(
    ([, { canary, stable }]) => canary.length > 0 && stable.length > 0,
  );
  const legible = both.filter(([, { stable }]) => stable.every((body) => read(body) !== undefined));
  const settled = legible.filter(([, { stable }]) =>
    stable.every((body) => alike(body, stable[0])),
  );
  const differs = ({ canary, stable }: Answers): boolean =>
    canary.some((body) => !isTooLong(body) && !alike(body, stable[0]));
  const differing = settled.filter(([, answers]) => differs(answers));
  // What the canary predicts on these is not known.
  const open = settled.filter(([, answers]) => !differs(answers) && answers.canary.some(isTooLong));
  const [of, hits] = [settled.length - open.length, differing.length];
  const long = both.filter(([, { canary, stable }]) => [...canary, ...stable].some(isTooLong));
  const unread =
    long.length === 0
      ? ""
      : `; answers to ${plural(long.length, "request")} are longer than ${LONGEST_ANSWER} characters, and not read`;
  const without = both.filter(([, { stable }]) =>
    stable.some((body) => !isTooLong(body) && read(body) === undefined),
  );
  const notices = [
    ...(without.length > 0
      ? [
          `stable's answers to ${without.length} requests have nothing at ${predictions.value} (analysis.predictions.value)`,
        ]
      : []),
    ...(settled.length < legible.length
      ? [
          `stable itself predicts differently each time on ${legible.length - settled.length} requests; they were left out`,
        ]
      : []),
  ];
  const common = {
    metric: "predictions",
    unit: "%",
    threshold: predictions.agreement,
    ...(of > 0 ? { canary: rounded(100 * (1 - hits / of)) } : {}),
  };
  if (of < predictions.minimum)
    return {
      measure: {
        ...common,
        outcome: "inconclusive",
        why: `both predicted on ${of} different requests, ${predictions.minimum} are needed (analysis.predictions.minimum)${unread}`,
      },
      notices,
    };
  const allowed = (100 - predictions.agreement) / 100;
  const sure = confidenceAbove({ hits, of }, allowed);
  const first = differing
    .map(([index]) => index + 1)
    .sort((a, b) => a - b)
    .slice(0, 3);
  return {
    measure: {
      ...common,
      // Only what is known counts as proof, but what is not known may be as bad as can be.
      outcome: againstThreshold(isAbove((hits + open.length) / (of + open.length), allowed), sure, {
        confidence,
      }),
      confidence: rounded(sure),
      method: "exact binomial test of the requests that are predicted differently",
      why: `${hits} of ${of} different requests are predicted differently, ${words(100 * allowed)} % may be; ${sureWords(sure)} that it is more${first.length > 0 ? `; the first are requests ${first.join(", ")}` : ""}${unread}`,
    },
    notices,
  };
}

/** Answers by request, of those whose answer was kept; of lines that are the same request by the first. */
function grouped(
  sent: readonly Sent[],
  requests: readonly RecordedRequest[],
): Map<number, Answers> {
  const lines = firstLines(requests);
  const groups = new Map<number, { canary: Answer[]; stable: Answer[] }>();
  for (const { index, track, ok, body, tooLong } of sent) {
    if (body === undefined && !tooLong) continue;
    const line = lines[index] ?? index;
    const group = groups.get(line) ?? { canary: [], stable: [] };
    // An answer that is an error predicts nothing, however long it is: it stays.
    group[track].push(tooLong && !ok ? "" : body);
    groups.set(line, group);
  }
  return groups;
}

/** For each recorded request the index of the first that is the same: the same method, path, headers and body. */
function firstLines(requests: readonly RecordedRequest[]): number[] {
  const first = new Map<string, number>();
  return requests.map(({ method, path, headers, body }, index) => {
    const named = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
    const key = JSON.stringify([method, path, named.sort(), body]);
    const found = first.get(key) ?? index;
    first.set(key, found);
    return found;
  });
}

function isTooLong(answer: Answer): boolean {
  return answer === undefined;
}

/** Numbers within the tolerance, everything else the same. */
function equal(a: unknown, b: unknown, tolerance: number): boolean {
  if (typeof a === "number" && typeof b === "number") return Math.abs(a - b) <= tolerance;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [keys, others] = [Object.keys(a), Object.keys(b)];
  return (
    keys.length === others.length &&
    keys.every(
      (key) =>
        Object.hasOwn(b, key) &&
        equal((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key], tolerance),
    )
  );
}
