import type { Analysis } from "../../../src/core/analysis/types.js";
import type { Observation, ReleaseRecord, Workload } from "../../../src/core/delivery/types.js";
import {
  LeaseLost,
  Refused,
  type Deed,
  type Hands,
  type World,
} from "../../../src/core/delivery/world.js";
import type { Generator } from "../random.js";

/** The client of the cluster is gone in the middle of something, as by kill -9. */
export class Killed extends Error {}
/** The API server did not answer, for longer than anybody waits. */
export class Away extends Error {}

interface Pods {
  release: number;
  image: string;
  replicas: number;
  generation: number;
  /** When it became this release. */
  since: number;
  /** Ready pods, by release. */
  ready: Map<number, number>;
}

/** What the cluster holds: it outlives those who talk to it. */
export class Cluster {
  stable: Pods | undefined;
  canary: Pods | undefined;
  service = false;
  weight = 0;
  exposed = false;
  /** Whether the route names the canary, and since when the gateway knows it. */
  named = false;
  knownAt = Infinity;
  /** Objects beside the stable Deployment: the release that applied each last. */
  readonly objects = new Map<string, number>();
  /** Somebody else has the number of stable's pods: no Deployment with another is taken. */
  scaled: number | undefined;
  /** Objects that somebody else has, and that are not to be applied, or not to be deleted. */
  readonly foreign = new Set<string>();
  records = new Map<number, ReleaseRecord>();
  holder = "";
  /** Seconds that have passed. */
  time = 0;
  /** Whether the gateway gives the canary requests by now: it may be behind the route. */
  used = false;
  /** When the gateway takes over the route as it is. */
  routedAt = 0;
  /** When the canary last got a share of the requests. */
  lastUsed = -Infinity;
  /** Releases whose pods never become ready. */
  readonly broken = new Set<number>();
  /** What was done that must never be. */
  readonly wrongs: string[] = [];

  /** Time passes; pods of good releases become ready, and replace others. */
  pass(seconds: number): void {
    const until = this.resolves ? this.routedAt : Infinity;
    if (this.used) this.lastUsed = Math.max(this.time, Math.min(this.time + seconds, until));
    this.time += seconds;
    if (this.time >= until) this.used = this.weight > 0 || this.exposed;
    if (this.used) this.lastUsed = this.time;
    for (const pods of [this.stable, this.canary]) {
      if (!pods) continue;
      if (this.broken.has(pods.release)) continue;
      if (seconds >= 1) pods.ready = new Map([[pods.release, pods.replicas]]);
    }
  }

  /** Somebody sets the number of stable's pods, and has it from then on. */
  scale(replicas: number): void {
    if (!this.stable) return;
    this.scaled = replicas;
    this.stable.replicas = replicas;
  }

  /** Whether all is there that the route names: no gateway takes it over otherwise. */
  get resolves(): boolean {
    return !this.named || this.service;
  }

  observe(): Observation {
    return {
      stable: this.workload(this.stable),
      canary: this.workload(this.canary),
      weight: this.weight,
      exposed: this.exposed,
      named: this.named,
      routed: this.resolves && this.time >= this.routedAt,
      complaint: this.resolves ? undefined : "ResolvedRefs=False",
      leftovers: this.canary !== undefined || this.service || this.named,
      pods: [],
    };
  }

  private workload(pods: Pods | undefined): Workload | undefined {
    if (!pods) return undefined;
    const available = count(pods);
    const complete = pods.ready.get(pods.release) === pods.replicas && available === pods.replicas;
    const { release, image, generation, replicas } = pods;
    const bad = this.broken.has(release) && !complete;
    return {
      ...{ release, image, generation, replicas, available, complete },
      trouble: bad ? { why: `release ${release} crashes`, certain: true } : undefined,
    };
  }
}

function count(pods: Pods | undefined): number {
  return [...(pods?.ready.values() ?? [])].reduce((sum, each) => sum + each, 0);
}

/** How often what goes wrong, of 1000 deeds. */
export interface Faults {
  /** The client dies before, in the middle of, or after a deed. */
  readonly kill: number;
  /** The API server is away: nothing was done, or it was and the answer got lost. */
  readonly away: number;
  /** Pods of a track end by themselves. */
  readonly crash: number;
  /** The API server is away, and a deed outlasts it. */
  readonly outage: number;
  /** Somebody deletes the canary's Service, or scales the stable Deployment. */
  readonly hand: number;
}

export const CALM: Faults = { kill: 0, away: 0, crash: 0, outage: 0, hand: 0 };

/** A world over such a cluster, of one run, in which things go wrong as told. */
export class SimulatedWorld implements World {
  private queue: (() => void)[] = [];
  readonly said: string[] = [];
  /** What analyses say, in turn; then that it passed. */
  outcomes: Analysis["outcome"][] = [];
  smokes = true;
  /** Seconds that the gateway may be behind a new route. */
  lags: readonly number[] = [0];
  aliasOf: number | undefined;
  private dead = false;
  /** Pods that came after the API server was away: the gateway hears of them later. */
  private blind = { from: Infinity, until: -Infinity };

  constructor(
    readonly cluster: Cluster,
    readonly me: string,
    private readonly random: Generator,
    private readonly faults: Faults,
    private readonly drain: number,
  ) {}

  now(): number {
    return this.cluster.time;
  }

  unsure(): number {
    return Math.max(0, this.blind.until - this.cluster.time);
  }

  date(): Date {
    return new Date(Date.UTC(2026, 10, 24) + this.cluster.time * 1000);
  }

  look(): Promise<Observation> {
    this.fail();
    return Promise.resolve(this.cluster.observe());
  }

  async act(deed: Deed, hands: Hands): Promise<Observation> {
    await this.flush();
    this.fail();
    for (const change of this.changes(deed, hands)) {
      this.mayDie();
      change();
    }
    this.mayDie();
    this.fail();
    const { cluster } = this;
    if (this.chance(this.faults.outage)) {
      const from = this.unsure() > 0 ? this.blind.from : cluster.time;
      cluster.pass(5);
      this.blind = { from, until: cluster.time + 18 };
    }
    cluster.pass(deed.do === "wait" ? Math.min(deed.seconds, 8) : this.random.pick([0.3, 1, 4]));
    if (this.chance(this.faults.crash)) {
      const pods = this.random.int(2) === 0 ? cluster.stable : cluster.canary;
      const [serving] = pods?.ready.keys() ?? [];
      if (pods && serving !== undefined) pods.ready = new Map([[serving, this.random.int(2)]]);
    }
    if (this.chance(this.faults.hand)) cluster.service = false;
    if (this.chance(this.faults.hand)) cluster.scale(3);
    return cluster.observe();
  }

  save(...records: readonly ReleaseRecord[]): void {
    for (const record of records)
      this.queue.push(() => this.cluster.records.set(record.number, record));
  }

  forget(numbers: readonly number[]): void {
    for (const number of numbers) this.queue.push(() => this.cluster.records.delete(number));
  }

  prune(objects: ReleaseRecord["objects"]): void {
    for (const { metadata } of objects)
      this.queue.push(() => {
        this.cluster.objects.delete(metadata.name);
      });
  }

  flush(): Promise<void> {
    this.fail();
    for (; this.queue.length > 0; this.queue.shift()) {
      this.mayDie();
      this.queue[0]?.();
    }
    this.mayDie();
    return Promise.resolve();
  }

  analyse(release: ReleaseRecord, weight: number): Promise<Analysis> {
    this.mayDie();
    this.cluster.pass(10);
    const outcome = this.outcomes.shift() ?? "passed";
    const at = this.date().toISOString();
    return Promise.resolve({
      outcome,
      measures: [],
      requests: { canary: weight, stable: 100 - weight, failed: 0 },
      startedAt: at,
      finishedAt: at,
      why: `release ${release.number} ${outcome}`,
      notices: [],
    });
  }

  smoke(): Promise<{ ok: boolean; why: string }> {
    this.mayDie();
    return Promise.resolve({ ok: this.smokes, why: this.smokes ? "" : "status 500" });
  }

  moveAlias(release: ReleaseRecord): Promise<string | undefined> {
    this.mayDie();
    this.aliasOf = release.number;
    return Promise.resolve(undefined);
  }

  gather(): Promise<string> {
    return Promise.resolve("details");
  }

  say(text: string): void {
    this.said.push(text);
  }

  /** What a deed changes, one object after the other: a crash may come between. */
  private changes(deed: Deed, { seen, release }: Hands): (() => void)[] {
    const { cluster } = this;
    switch (deed.do) {
      case "apply canary":
        return [
          () => {
            cluster.service = true;
          },
          () => {
            cluster.canary = changed(cluster, "canary", deed.release, deed.replicas, release);
          },
          () => {
            this.name();
          },
        ];
      case "apply stable":
        return this.stableChanges(deed.release, seen, release);
      case "weigh":
        return [
          () => {
            this.check(deed.weight, deed.exposed);
            if (seen.canary) this.name();
            else this.unname();
            cluster.weight = deed.weight;
            cluster.exposed = deed.exposed;
            cluster.routedAt = cluster.time + this.random.pick(this.lags);
          },
        ];
      case "forget canary":
        return [
          () => {
            this.unname();
            cluster.routedAt = cluster.time + this.random.pick(this.lags);
          },
        ];
      case "remove canary":
        return [
          () => {
            this.mayBeRemoved(seen);
            this.unname();
            cluster.canary = undefined;
          },
          () => {
            cluster.service = false;
          },
        ];
      case "remove all":
        return [
          () => {
            cluster.weight = 0;
            cluster.exposed = false;
            cluster.used = false;
            this.unname();
            cluster.canary = undefined;
            cluster.service = false;
          },
          () => {
            cluster.stable = undefined;
          },
          () => {
            for (const name of [...cluster.objects.keys()])
              if (!cluster.foreign.has(name)) cluster.objects.delete(name);
            if (cluster.objects.size > 0) throw new Refused("the user may not delete that");
          },
        ];
      default:
        return [];
    }
  }

  /** As kubectl applies a list: what is refused is told in the end, and all else is done. */
  private stableChanges(
    number: number,
    seen: Hands["seen"],
    release: ReleaseRecord | undefined,
  ): (() => void)[] {
    const { cluster } = this;
    const { replicas = 1, objects = [] } = release ?? {};
    let refused: string | undefined;
    const others = objects.filter(({ kind }) => kind !== "Deployment");
    return [
      () => {
        // What is of the release already is not applied again.
        if (seen.stable?.release === number) return;
        if (cluster.scaled !== undefined && cluster.scaled !== replicas)
          refused = '"kubectl" sets .spec.replicas';
        else cluster.stable = changed(cluster, "stable", number, replicas, release);
      },
      ...others.map(({ metadata: { name } }) => () => {
        if (cluster.foreign.has(name)) refused = `"somebody" sets .data of ${name}`;
        else cluster.objects.set(name, number);
      }),
      () => {
        if (refused !== undefined) throw new Refused(refused);
      },
    ];
  }

  /** The route names the canary: the gateway looks for its pods from then on. */
  private name(): void {
    const { cluster } = this;
    if (!cluster.named) cluster.knownAt = cluster.time;
    cluster.named = true;
  }

  private unname(): void {
    this.cluster.named = false;
    this.cluster.knownAt = Infinity;
  }

  private check(weight: number, exposed: boolean): void {
    const { stable, canary, wrongs, knownAt, time } = this.cluster;
    const isBlind = (pods: Pods | undefined): boolean =>
      pods !== undefined && pods.since >= this.blind.from && time < this.blind.until;
    if (weight > this.cluster.weight && isBlind(canary))
      wrongs.push(`${weight} % to a canary that the gateway may not know`);
    const isPromoted = stable !== undefined && stable.release === canary?.release;
    if (weight < this.cluster.weight && isPromoted && count(canary) > 0 && isBlind(stable))
      wrongs.push(`${100 - weight} % to new stable pods that the gateway may not know`);
    if ((weight > 0 || exposed) && time <= knownAt)
      wrongs.push(`${weight} % to a canary that the gateway has not heard of`);
    const [ofStable, ofCanary] = [count(stable), count(canary)];
    if ((weight > 0 || exposed) && ofCanary === 0)
      wrongs.push(`${weight} % to a canary without a ready pod`);
    // What is only said once more takes nobody's requests: a canary may wait beside pods that are not ready.
    const isNew = weight !== this.cluster.weight || exposed !== this.cluster.exposed;
    if (isNew && weight < 100 && ofStable === 0 && ofCanary > 0)
      wrongs.push(`${100 - weight} % to a stable release without a ready pod`);
  }

  private mayBeRemoved(seen: Observation): void {
    const { cluster } = this;
    const isUsed = cluster.used || cluster.weight > 0 || cluster.exposed;
    if (isUsed) cluster.wrongs.push("removed while it is used");
    else if (cluster.time - cluster.lastUsed < this.drain && seen.canary)
      cluster.wrongs.push("removed before it was drained");
  }

  private chance(of1000: number): boolean {
    return this.random.int(1000) < of1000;
  }

  private mayDie(): void {
    if (this.cluster.holder !== this.me) throw new LeaseLost(this.cluster.holder);
    this.dead ||= this.chance(this.faults.kill);
    // What is dead does nothing more, not even take back.
    if (this.dead) throw new Killed("killed");
  }

  private fail(): void {
    this.mayDie();
    if (this.chance(this.faults.away)) throw new Away("the API server does not answer");
  }
}

/** A Deployment is applied: its old pods serve until new ones are ready. */
function changed(
  cluster: Cluster,
  track: "stable" | "canary",
  release: number,
  replicas: number,
  record: ReleaseRecord | undefined,
): Pods {
  const { time, [track]: pods } = cluster;
  const image = record?.reference ?? "";
  const same = pods?.release === release && pods.replicas === replicas;
  return {
    ...{ release, image, replicas },
    generation: (pods?.generation ?? 0) + (same ? 0 : 1),
    since: pods?.release === release ? pods.since : time,
    ready: new Map(pods?.ready ?? []),
  };
}
