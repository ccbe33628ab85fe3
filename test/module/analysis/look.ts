import { execFile } from "node:child_process";
import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { resolveConfig } from "../../../src/core/config/resolve.js";
import { judge } from "../../../src/core/analysis/judge.js";
import { readObservation, readSent, type Sent } from "../../../src/core/analysis/observation.js";
import { planOf } from "../../../src/core/analysis/plan.js";
import { askedOf, type Labels } from "../../../src/core/analysis/queries.js";
import { defaultRequests, type RecordedRequest } from "../../../src/core/analysis/requests.js";
import type { Analysis, Measure, Track } from "../../../src/core/analysis/types.js";
import type { LocalCluster } from "./cluster.js";

const STAGES = fileURLToPath(new URL("../../../src/stages", import.meta.url));

/** How a look is made here, where no engine runs it. */
export interface Look {
  readonly set?: readonly string[];
  readonly requests?: readonly RecordedRequest[];
  /** @default true */
  readonly stable?: boolean;
  /** @default false */
  readonly load?: boolean;
}

/** Runs `load.py` with the real k6 as a stage does, and judges what it saw. */
export async function look(
  cluster: LocalCluster,
  { set = [], requests = defaultRequests("/readyz"), stable = true, load = false }: Look,
): Promise<Analysis & { readonly sent: readonly Sent[] }> {
  const { config } = resolveConfig({
    pyproject: undefined,
    set: ["analysis.duration=6", "analysis.warmup=1", "analysis.rate=25", ...set],
  });
  const tracks: Track[] = stable ? ["canary", "stable"] : ["canary"];
  const plan = planOf(config.analysis, { tracks, requests, host: "orders", load });
  const out = join(cluster.folder, "out");
  await mkdir(out);
  const labels: Labels = { canary: "canary", ...(stable && { stable: "stable" }) };
  const places = { namespace: "shop", name: "orders", release: "7" };
  const specification = {
    namespace: "shop",
    port: 8000,
    selector: `slipway.dev/track in (${tracks.join(",")})`,
    label: "slipway.dev/track",
    tracks: labels,
    asked: askedOf(config.analysis, places, labels, false),
    warmup: plan.k6.warmupSeconds,
    polls: plan.polls,
    end: plan.end,
    limit: plan.limit,
    k6: plan.k6,
  };
  try {
    const running = promisify(execFile)(
      "python3",
      [join(STAGES, "python/load.py"), join(STAGES, "k6/load.js"), out],
      { env: cluster.env },
    );
    running.child.stdin?.end(JSON.stringify(specification));
    await running;
    const observation = readObservation(await readFile(join(out, "observation.json"), "utf8"));
    const sent = readSent(await readFile(join(out, "requests.log"), "utf8"));
    if (!observation || !sent) throw new Error("load.py left nothing that can be read");
    const found = judge({ config: config.analysis, plan, observation, sent, hasModel: true });
    return { ...found, sent };
  } finally {
    await rm(out, { recursive: true });
  }
}

/** One measure of an analysis, by its name. */
export function measure({ measures }: Analysis, metric: string): Measure {
  const found = measures.find((one) => one.metric === metric);
  if (!found) throw new Error(`no ${metric} in ${measures.map((one) => one.metric).join(", ")}`);
  return found;
}
