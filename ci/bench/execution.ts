import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import { ask, field, inSession } from "./embedded.js";
import {
  atMost,
  enginePeak,
  median,
  megabytes,
  ratio,
  shown,
  timed,
  type Section,
} from "./measure.js";

const BASE = ["container", field("from", { address: "docker.io/library/busybox:stable" })];

/** An exec that does nothing, over a base that is there, beside the runtime alone. */
export async function emptyExec(scratch: string, times: number): Promise<Section> {
  const bundle = join(scratch, "bundle");
  await mkdir(bundle, { recursive: true });
  return await inSession(async (session) => {
    await ask(session, ...BASE, "rootfs", field("export", { path: join(bundle, "rootfs") }));
    await prepareBundle(bundle);
    const engine: number[] = [];
    const runtime: number[] = [];
    for (let index = 0; index < times; index++) {
      const fresh = field("withEnvVariable", { name: "ROUND", value: randomUUID() });
      const exec = field("withExec", { args: ["true"] });
      engine.push(await timed(() => ask(session, ...BASE, fresh, exec, "sync")));
      runtime.push(await timed(() => crun(bundle)));
    }
    return {
      title: "An exec that does nothing",
      how: `median of ${times}, \`true\` in busybox, the base cached; a request to a running engine, beside \`crun run\` of the same file system`,
      rows: [
        atMost("exec", median(engine), 50),
        { what: "crun alone", value: shown(median(runtime)) },
        { what: "ratio", value: ratio(median(engine) / median(runtime)) },
      ],
    };
  });
}

async function prepareBundle(bundle: string): Promise<void> {
  await promisify(execFile)("crun", ["spec"], { cwd: bundle });
  const file = join(bundle, "config.json");
  const config = JSON.parse(await readFile(file, "utf8")) as {
    process: { terminal: boolean; args: string[] };
    mounts: { type: string }[];
    linux: { namespaces: { type: string }[]; resources?: unknown };
  };
  config.process.terminal = false;
  config.process.args = ["true"];
  // The engine uses no control groups either.
  config.mounts = config.mounts.filter(({ type }) => type !== "cgroup");
  config.linux.namespaces = config.linux.namespaces.filter(({ type }) => type !== "cgroup");
  delete config.linux.resources;
  await writeFile(file, JSON.stringify(config));
}

/** crun cannot work where both versions of control groups are mounted, and needs neither. */
const WITHOUT_CGROUPS =
  '[ ! -e /sys/fs/cgroup/unified/cgroup.controllers ] || umount -l /sys/fs/cgroup/unified; exec "$@"';

async function crun(bundle: string): Promise<void> {
  const name = `slipway-bench-${randomUUID()}`;
  await promisify(execFile)("unshare", [
    ...["--mount", "--propagation", "private", "sh", "-c", WITHOUT_CGROUPS, "sh"],
    ...["crun", "--cgroup-manager=disabled", "run", "--bundle", bundle, name],
  ]);
}

/** A chain of execs, each of which leaves a file. */
function chain(seed: string, steps: number): string[] {
  const step = (index: number): string =>
    field("withExec", { args: ["touch", `/tmp/${seed}-${index}`] });
  return [...BASE, ...Array.from({ length: steps }, (_, index) => step(index)), "sync"];
}

/** 50 cached steps, asked of an engine that has just started. */
export async function cachedChain(times: number): Promise<Section> {
  const fields = chain(randomUUID(), 50);
  await inSession((session) => ask(session, ...fields));
  const values: number[] = [];
  for (let index = 0; index < times; index++)
    values.push(
      await inSession(async (session) => {
        await ask(session, "version");
        return await timed(() => ask(session, ...fields));
      }),
    );
  return {
    title: "A cached chain of 50 steps",
    how: `median of ${times}, each in an engine that has just started and only has the cache on disk`,
    rows: [atMost("50 cached execs", median(values), 150)],
  };
}

/** Chains of up to `most` steps that nothing has of them cached. */
export async function longGraph(most: number): Promise<Section> {
  const costs: { steps: number; time: number; peak: number }[] = [];
  for (const steps of [most / 4, most / 2, most])
    costs.push(
      await inSession(async (session) => {
        const time = await timed(() => ask(session, ...chain(randomUUID(), steps)));
        return { steps, time, peak: await enginePeak() };
      }),
    );
  const each = costs.map(({ steps, time }) => time / steps);
  const last = costs.at(-1) ?? { steps: 0, time: NaN, peak: NaN };
  return {
    title: `A graph of ${most} steps`,
    how: "one request; each step is an exec that leaves a file, on top of the one before; nothing cached",
    rows: [
      ...costs.map(({ steps, time }) => ({
        what: `${steps} steps`,
        value: `${shown(time)}, ${shown(time / steps)} a step`,
      })),
      atMost(
        "a step of the longest, against one of the shortest",
        (each.at(-1) ?? NaN) / (each[0] ?? NaN),
        1.25,
        ratio,
      ),
      atMost("the engine's memory at its highest", last.peak, 1e9, megabytes),
    ],
  };
}
