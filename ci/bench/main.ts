/**
 * Measures what Slipway promises, and writes it to docs/benchmarks.md.
 *
 *     tsx ci/bench/main.ts [--only PART[,PART…]] [--quick] [--out FILE]
 *
 * With `--only`, the other parts of the document stay as they are. `--quick` takes few and small
 * samples, to see that everything works; its numbers say little, so it writes no file unless told
 * where. The exit code is 1 when a goal is missed.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { cachePath } from "../sandbox/cache.js";
import { ensureRegistry, mirrors } from "../sandbox/registry.js";
import { delivery } from "./delivery.js";
import { evidence } from "./evidence.js";
import { cachedChain, emptyExec, longGraph } from "./execution.js";
import { checks, workers } from "./iris.js";
import type { Section } from "./measure.js";
import { coldStart } from "./module.js";
import { packages } from "./packages.js";
import { firstPaint } from "./page.js";
import { apart, document, factsOf, machine, partsOf, table } from "./report.js";
import { services } from "./services.js";
import { volume } from "./volume.js";

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    quick: { type: "boolean", default: false },
    out: { type: "string" },
  },
});
const { quick } = values;

const PARTS: Readonly<Record<string, (scratch: string) => Promise<Section>>> = {
  checks: (scratch) => checks(scratch, quick ? 1 : 2),
  workers: (scratch) => workers(scratch, quick ? 1 : 2),
  evidence: (scratch) => evidence(scratch, quick ? 1 : 3),
  packages: (scratch) => packages(scratch, [10, 100, 1000], quick ? 1 : 3),
  page: (scratch) => firstPaint(scratch, 10_000, quick ? 1 : 5),
  exec: (scratch) => emptyExec(scratch, quick ? 5 : 40),
  chain: () => cachedChain(quick ? 2 : 7),
  graph: () => longGraph(quick ? 80 : 2000),
  volume: (scratch) => volume(scratch, quick ? 0.05 : 1),
  delivery: (scratch) => delivery(scratch, quick ? 1 : 3),
  services: (scratch) => services(scratch, quick ? [1, 2] : [1, 10, 50]),
  module: () => coldStart(),
};

/** Parts in the sandbox's cluster, whose programs are in the sandbox's own cache. */
const CLUSTERED = new Set(["delivery", "services"]);

const wanted = values.only === "" ? Object.keys(PARTS) : values.only.split(",");
const unknown = wanted.filter((name) => !(name in PARTS));
if (unknown.length > 0) {
  console.error(
    `There is no part ${unknown.join(", ")}; they are ${Object.keys(PARTS).join(", ")}.`,
  );
  process.exit(2);
}

const { address } = await ensureRegistry();
// A cache of its own, which stays: the numbers are those of a machine that has run before.
process.env.SLIPWAY_CACHE_BUDGET ??= String(20e9);
const cache = cachePath("bench-engine");
const scratch = await mkdtemp(join(tmpdir(), "slipway-bench-"));
process.env.SLIPWAY_MIRRORS = mirrors(address);
const facts = await machine();
const sections = new Map<string, Section>();
try {
  for (const name of wanted) {
    console.error(`measuring: ${name} …`);
    const measure = () => PARTS[name]?.(join(scratch, name));
    const section = await (CLUSTERED.has(name) ? measure() : withCache(cache, measure));
    if (!section) continue;
    sections.set(name, section);
    console.log(table(section));
  }
} finally {
  await rm(scratch, { recursive: true, force: true });
}
const out = values.out ?? (quick ? undefined : docs());
if (out !== undefined) await writeFile(out, await written(out));
const missed = [...sections.values()]
  .flatMap(({ rows }) => rows)
  .filter(({ met }) => met === false);
for (const { what, value, goal } of missed)
  console.log(`missed: ${what}: ${value}, goal ${goal ?? ""}`);
process.exitCode = missed.length > 0 ? 1 : 0;

/** The document with what was measured: all of it, or those parts in the place of their elders. */
async function written(path: string): Promise<string> {
  const order = Object.keys(PARTS);
  const isWhole = order.every((name) => sections.has(name));
  const text = (section: Section): string => (isWhole ? table(section) : apart(section, facts));
  const made = Object.fromEntries([...sections].map(([name, section]) => [name, text(section)]));
  const before = isWhole ? "" : await readFile(path, "utf8").catch(() => "");
  return document(isWhole ? facts : factsOf(before), { ...partsOf(before), ...made }, order);
}

function docs(): string {
  return fileURLToPath(new URL("../../docs/benchmarks.md", import.meta.url));
}

/** The engines of `work` keep their caches below `folder`. */
async function withCache<T>(folder: string, work: () => T): Promise<Awaited<T>> {
  const before = process.env.SLIPWAY_CACHE;
  process.env.SLIPWAY_CACHE = folder;
  try {
    return await work();
  } finally {
    if (before === undefined) delete process.env.SLIPWAY_CACHE;
    else process.env.SLIPWAY_CACHE = before;
  }
}
