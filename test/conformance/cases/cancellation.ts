import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

import type { CacheVolume, Client } from "@dagger.io/dagger";

import { topic, type Tools } from "../case.js";

/** Sends `container` off as a query of its own that can be aborted. */
async function start(
  t: Tools,
  volume: CacheVolume,
  script: string,
  signal: AbortSignal,
): Promise<string> {
  const id = await t.base().withMountedCache("/v", volume).withExec(["sh", "-c", script]).id();
  const answer = await t.query<{ node: { stdout: string } }>(
    `query ($id: ID!) { node(id: $id) { ... on Container { stdout } } }`,
    { id },
    signal,
  );
  return answer.node.stdout;
}

/** Lines in the file that the running script appends to. */
async function ticks(t: Tools, volume: CacheVolume): Promise<number> {
  const count = await t
    .fresh()
    .withMountedCache("/v", volume)
    .withExec(["sh", "-c", "cat /v/ticks 2>/dev/null | wc -l"])
    .stdout();
  return Number(count);
}

function newVolume(dag: Client, t: Tools): CacheVolume {
  return dag.cacheVolume(t.unique("cancel"));
}

const TICK = "while :; do echo tick >> /v/ticks; sleep 0.1; done";

export const cancellation = topic("cancellation", {
  ends_the_process_when_the_client_goes_away: async (dag, t) => {
    const volume = newVolume(dag, t);
    const aborter = new AbortController();
    const running = start(t, volume, TICK, aborter.signal).catch((error: unknown) => error);
    await t.eventually("the first tick", async () => (await ticks(t, volume)) > 0);
    aborter.abort();
    assert.ok((await running) instanceof Error);
    let last = -1;
    await t.eventually("the end of the ticking", async () => {
      const now = await ticks(t, volume);
      await sleep(500);
      const still = now === last;
      last = now;
      return still && (await ticks(t, volume)) === now;
    });
  },
  leaves_work_that_another_client_waits_for: async (dag, t) => {
    const volume = newVolume(dag, t);
    const script = "echo tick >> /v/ticks; until [ -e /v/go ]; do sleep 0.1; done; echo whole";
    const aborter = new AbortController();
    const leaving = start(t, volume, script, aborter.signal).catch((error: unknown) => error);
    const staying = start(t, volume, script, new AbortController().signal);
    await t.eventually("the first tick", async () => (await ticks(t, volume)) > 0);
    aborter.abort();
    assert.ok((await leaving) instanceof Error);
    await t.fresh().withMountedCache("/v", volume).withExec(["touch", "/v/go"]).sync();
    assert.equal(await staying, "whole\n");
    assert.equal(await ticks(t, volume), 1);
  },
  lets_the_same_work_be_done_afterwards: async (dag, t) => {
    const volume = newVolume(dag, t);
    const script = "echo tick >> /v/ticks; [ -e /v/go ] || sleep 60; echo finished";
    const aborter = new AbortController();
    const first = start(t, volume, script, aborter.signal).catch((error: unknown) => error);
    await t.eventually("the first tick", async () => (await ticks(t, volume)) > 0);
    aborter.abort();
    assert.ok((await first) instanceof Error);
    await t.fresh().withMountedCache("/v", volume).withExec(["touch", "/v/go"]).sync();
    assert.equal(await start(t, volume, script, new AbortController().signal), "finished\n");
  },
});
