import type { Test } from "uvu";
import * as assert from "uvu/assert";

import { failuresOf, type TrafficCounts } from "../../../../ci/sandbox/traffic.js";
import { Service, type ServiceOptions } from "./service.js";
import type { Stage } from "./stage.js";

/** A case that plays with a service of its own. */
export interface Case extends ServiceOptions {
  /** Variants whose own errors are none of Slipway's, and the greatest share of the requests, in percent, that may meet them. */
  readonly faulty?: Readonly<Record<string, number>>;
  readonly play: (service: Service) => Promise<void>;
}

interface Played {
  readonly error?: Error;
}

/**
 * Plays cases side by side, since most of a delivery is waiting, and makes a test of each. During each
 * of them somebody uses the service; a request that fails and is not the canary's own fault fails it.
 *
 * @param stage One for all cases, or what opens one for each, which ends with it.
 * @param atOnce Cases at a time.
 */
export function plays(
  test: Test,
  stage: Stage | (() => Promise<Stage>),
  atOnce: number,
  cases: Readonly<Record<string, Case>>,
): void {
  const names = chosen(Object.keys(cases));
  const waiting = [...names];
  const done = new Map<string, (played: Played) => void>();
  const results = new Map(
    names.map((name) => [name, new Promise<Played>((resolve) => done.set(name, resolve))]),
  );
  const work = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const one = cases[name];
      const played = one ? await playOne(stage, name, one) : {};
      done.get(name)?.(played);
    }
  };
  let started = false;
  for (const name of names)
    test(name, async () => {
      if (!started) for (let worker = 0; worker < atOnce; worker++) void work();
      started = true;
      const { error } = (await results.get(name)) ?? {};
      if (error !== undefined) throw error;
    });
}

/** The cases that CASE names a part of; all of them unless it is set, to look into one. */
function chosen(names: readonly string[]): string[] {
  const { CASE = "" } = process.env;
  return names.filter((name) => name.includes(CASE));
}

async function playOne(
  given: Stage | (() => Promise<Stage>),
  name: string,
  { play, faulty = {}, ...options }: Case,
): Promise<Played> {
  let began = performance.now();
  let stage: Stage | undefined;
  let service: Service | undefined;
  try {
    stage = typeof given === "function" ? await given() : given;
    began = performance.now();
    service = await Service.make(stage, options);
    await play(service);
    const counts = await service.rest();
    tell(name, counts, began);
    if (counts) unharmed(counts, faulty);
    return {};
  } catch (error) {
    tell(`FAILED ${name}`, service?.counts, began);
    print(error instanceof Error ? (error.stack ?? error.message) : String(error));
    if (service) print(await remains(service));
    return { error: error instanceof Error ? error : new Error(String(error)) };
  } finally {
    const close = async (): Promise<void> => {
      try {
        await service?.forget();
      } finally {
        if (typeof given === "function") await stage?.close();
      }
    };
    await close().catch((error: unknown) => {
      print(`${name}: ${String(error)}`);
    });
  }
}

/** Not one request failed, but for those that a broken release answered itself. */
function unharmed(counts: TrafficCounts, faulty: Readonly<Record<string, number>>): void {
  const harmed = Object.keys(counts.failed).filter((release) => !(release in faulty));
  const shown = counts.failures.filter(({ release = "none" }) => harmed.includes(release));
  assert.equal(harmed, [], JSON.stringify(shown.slice(0, 10), undefined, 1));
  for (const [release, most] of Object.entries(faulty)) {
    const share = (100 * (counts.releases[release] ?? 0)) / counts.requests;
    assert.ok(share <= most, `${release} got ${share} % of the requests, ${most} % may be`);
  }
}

function tell(name: string, counts: TrafficCounts | undefined, began: number): void {
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  const { requests = 0, releases = {}, failed = {} } = counts ?? {};
  const failures = counts ? failuresOf(counts) : 0;
  const by = Object.entries(releases)
    .map(
      ([release, count]) =>
        `${release} ${count}${failed[release] ? ` (${failed[release]} failed)` : ""}`,
    )
    .join(", ");
  print(
    `${name}: ${requests} requests${by === "" ? "" : ` (${by})`}, ${failures} failed, ${seconds} s`,
  );
}

/** Beside what the functions say. */
function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** What is left of a case that failed, to find out why. */
async function remains(service: Service): Promise<string> {
  const { namespace } = service;
  const parts = await Promise.all(
    [
      ["get", "deployments,services,httproutes,leases,pods", "--output=wide"],
      ["get", "events", "--sort-by=.lastTimestamp"],
    ].map((args) => service.kubectl(args).catch(String)),
  );
  return [namespace, ...parts].join("\n");
}
