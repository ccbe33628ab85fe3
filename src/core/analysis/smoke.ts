import * as z from "zod";
import { plural } from "../text.js";

const result = z.object({
  pod: z.string(),
  request: z.string(),
  /** 0 when there was no answer. */
  status: z.number(),
  ms: z.number(),
  tries: z.number(),
  ok: z.boolean(),
  /** What was wrong with the last answer; empty when it was right. */
  why: z.string(),
});

const record = z.object({ problem: z.string(), results: z.array(result) });

/** How one smoke request to one pod ended. */
export type SmokeResult = z.infer<typeof result>;

/** All smoke requests, and the project's own tests where some were run. */
export interface Smoke {
  readonly ok: boolean;
  readonly results: readonly SmokeResult[];
  readonly why: string;
}

/** Reads `smoke.json`, as `python/smoke.py` writes it, and judges it: no answer at all is no success. */
export function readSmoke(text: string | undefined, requests: number): Smoke {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text ?? "");
  } catch {
    parsed = undefined;
  }
  const { success, data } = record.safeParse(parsed);
  if (!success)
    return { ok: false, results: [], why: "the smoke requests left no result that can be read" };
  const { problem, results } = data;
  const bad = results.filter(({ ok }) => !ok);
  const pods = new Set(results.map(({ pod }) => pod)).size;
  if (problem !== "") return { ok: false, results, why: problem };
  if (bad.length > 0) {
    const words = bad
      .slice(0, 3)
      .map(
        ({ request, pod, why, tries }) =>
          `${request} of ${pod}: ${why} (${plural(tries, "try", "tries")})`,
      );
    return { ok: false, results, why: words.join("; ") };
  }
  if (pods === 0 || results.length < pods * requests)
    return { ok: false, results, why: "not every smoke request was made" };
  return {
    ok: true,
    results,
    why: `${plural(requests, "request")} to each of ${plural(pods, "pod")} answered as expected`,
  };
}
