import type { Analysis } from "../../core/analysis/types.js";
import { troubleText, type Asked } from "../../core/delivery/failure.js";
import type { KubernetesObject } from "../../core/delivery/objects/index.js";
import { observe, readObjects } from "../../core/delivery/observe.js";
import { observation } from "../../core/delivery/queries.js";
import { refusal } from "../../core/delivery/refusal.js";
import { releaseName, releaseSecret } from "../../core/delivery/release.js";
import type { Observation, ReleaseRecord } from "../../core/delivery/types.js";
import { Refused, type Deed, type Hands, type World } from "../../core/delivery/world.js";
import { SlipwayError } from "../../core/errors.js";
import type { Context } from "../context.js";
import { kubectl, type Cluster, type Request } from "../kubectl.js";
import type { Answer } from "../requests.js";
import { apply, remove, removeMarked, requestsOf, ROUND } from "./deeds.js";
import type { Lock } from "./lock.js";

/** Seconds of patience with an API server that was away for longer than patience lasts. */
const LITTLE = 5;

/** Seconds that a round of waiting takes at least when it was in vain. */
const PACE = 1;

/** What a rollout asks of others. */
export interface Helpers {
  readonly analyse: (release: ReleaseRecord, weight: number) => Promise<Analysis>;
  readonly smoke: (
    release: ReleaseRecord,
  ) => Promise<{ readonly ok: boolean; readonly why: string }>;
  readonly moveAlias: (release: ReleaseRecord) => Promise<string | undefined>;
  readonly say: (text: string) => void;
}

/** The real world: a cluster, by kubectl, one execution for everything that belongs together. */
export class ClusterWorld implements World {
  /** What is to be done before whatever is done next. */
  private queue: Request[] = [];
  /** Seconds to repeat what the API server does not answer; few when it did not in a long time. */
  private patience: number | undefined;
  /** Until when a gateway may not know new pods. */
  private unsureUntil = 0;

  constructor(
    private readonly context: Context,
    private readonly cluster: Cluster,
    readonly service: string,
    readonly hasGateway: boolean,
    private readonly lock: Lock,
    private readonly helpers: Helpers,
  ) {
    lock.onBeat = (answer) => {
      this.heed([answer]);
    };
  }

  now(): number {
    return performance.now() / 1000;
  }

  date(): Date {
    return new Date();
  }

  unsure(): number {
    return Math.max(0, this.unsureUntil - this.now());
  }

  async look(): Promise<Observation> {
    return await this.do("the service was not looked at", []);
  }

  async act(deed: Deed, hands: Hands): Promise<Observation> {
    if (deed.do === "wait" && deed.why === "drain") {
      // A timer may fire a moment early, and there would be a rest to wait for.
      const rest = Math.ceil(Math.min(deed.seconds, ROUND) * 1000) + 2;
      await new Promise((done) => setTimeout(done, rest));
      // What follows renews the lease first, and finds what was seen a moment ago.
      if (deed.seconds <= ROUND && this.queue.length === 0) return hands.seen;
    }
    const began = this.now();
    const seen = await this.do(WHAT[deed.do], requestsOf(deed, hands, this));
    // Pods that are ready end its waiting at once, though the Service may not lead to them yet.
    const isBehind = deed.do === "await" && deed.track !== "route" && !seen[deed.track]?.complete;
    const rest = isBehind ? began + PACE - this.now() : 0;
    if (rest > 0) await new Promise((done) => setTimeout(done, rest * 1000));
    return seen;
  }

  save(...records: readonly ReleaseRecord[]): void {
    const items = records.map((record) => releaseSecret({ ...record, calls: this.cluster.starts }));
    // Nobody else writes them, and a half written one is worth nothing.
    this.queue.push(apply(items, { force: true }));
  }

  forget(numbers: readonly number[]): void {
    const name = (number: number): string => releaseName(this.service, number);
    const unwanted = numbers.map((number) => ({ kind: "v1/secrets", name: name(number) }));
    this.queue.push({ api: { delete: unwanted } });
  }

  prune(objects: readonly KubernetesObject[], which: "all" | "marked"): void {
    if (objects.length === 0) return;
    const requests = which === "all" ? [remove(objects)] : objects.map(removeMarked);
    this.queue.push(...requests.map((request) => ({ ...request, optional: true })));
  }

  async flush(): Promise<void> {
    if (this.queue.length > 0)
      await this.ask("the release was not recorded", [this.lock.renewal()]);
  }

  /** The last thing that a run does: what is left to record, and the lease is given back. */
  async end(): Promise<void> {
    await this.ask("the release was not recorded", [this.lock.renewal(), this.lock.release()]);
  }

  /** Keeps the lease during work that has nothing to do with the cluster. */
  async busy<T>(work: () => Promise<T>): Promise<T> {
    return await this.lock.during(work);
  }

  analyse(release: ReleaseRecord, weight: number): Promise<Analysis> {
    return this.lock.during(() => this.helpers.analyse(release, weight));
  }

  smoke(release: ReleaseRecord): Promise<{ readonly ok: boolean; readonly why: string }> {
    return this.lock.during(() => this.helpers.smoke(release));
  }

  moveAlias(release: ReleaseRecord): Promise<string | undefined> {
    return this.lock.during(() => this.helpers.moveAlias(release));
  }

  say(text: string): void {
    this.helpers.say(text);
  }

  async gather({ pods }: Observation): Promise<string> {
    const unready = pods.filter(({ ready }) => !ready).slice(0, 2);
    // Where all are ready and the canary failed all the same, its own words may say why.
    const canary = pods.filter(({ track }) => track === "canary").slice(0, 1);
    const troubled = unready.length > 0 ? unready : canary;
    const logs = troubled.map(({ name, container, ended }) => [
      ...["logs", name, ...(container === "" ? [] : [`--container=${container}`]), "--tail=20"],
      ...(ended ? ["--previous"] : []),
    ]);
    const events = ["get", "events", "--field-selector=type=Warning", "--output=json"];
    const answers = await kubectl(
      this.context,
      this.cluster,
      [events, ...logs].map((args) => ({ args, patience: 5 })),
      "at once",
    );
    const [told, ...said] = answers.map((answer) => (answer?.exitCode === 0 ? answer.stdout : ""));
    const asked: Asked = {
      events: readObjects(told ?? ""),
      logs: troubled.map(({ name, container }, index) => ({
        ...{ pod: name, container },
        text: said[index] ?? "",
      })),
    };
    return troubleText(this.service, pods, asked);
  }

  /** Takes note of an API server that was away. */
  private heed(answers: readonly Answer[]): void {
    const away = Math.max(0, ...answers.map((answer) => answer?.away ?? 0));
    if (away > 0) this.unsureUntil = this.now() + blindness(away);
  }

  /** Asks, and then looks, in one execution. */
  private async do(what: string, requests: readonly Request[]): Promise<Observation> {
    const look = { api: observation(this.service, this.hasGateway) };
    const answers = await this.ask(what, [this.lock.renewal(), ...requests, look]);
    return observe(this.service, readObjects(answers.at(-1)?.stdout ?? ""));
  }

  /** Asks in turn what is queued and this; the lease comes first. Throws what was refused. */
  private async ask(
    what: string,
    [renewal, ...requests]: readonly Request[],
  ): Promise<NonNullable<Answer>[]> {
    if (!renewal) return [];
    const queued = this.queue;
    const { patience } = this;
    const all = [renewal, ...queued, ...requests].map((request) => ({
      ...(patience === undefined ? request : { patience, ...request }),
      needs: true,
    }));
    const answers = await kubectl(this.context, this.cluster, all);
    this.heed(answers);
    await this.lock.check(answers[0]);
    const at = answers.findIndex(
      (answer, index) => answer?.exitCode !== 0 && !(answer && all[index]?.optional),
    );
    for (const [index, answer] of answers.entries())
      if (answer && answer.exitCode !== 0 && all[index]?.optional)
        this.say(
          `warning: ${refusal("what no release has any more was not deleted", answer.stderr)}`,
        );
    // What was recorded before the failure need not be again.
    this.queue = queued.slice(at < 0 ? queued.length : Math.max(0, at - 1));
    const failed = at < 0 ? undefined : answers[at];
    // Whoever waited long enough for nothing is told so, not made to wait again for each thing left to do.
    this.patience = (failed?.away ?? 0) > 0 ? LITTLE : undefined;
    if (at >= 0) {
      const why = refusal(what, failed?.stderr ?? "");
      const isAnswered = failed !== undefined && (failed.away ?? 0) === 0;
      throw isAnswered ? new Refused(why) : new SlipwayError("DELIVERY", why);
    }
    return answers.slice(1 + queued.length).filter((answer) => answer !== undefined);
  }
}

/**
 * Seconds for which a gateway may stay without news after so many without the API server: it asks again
 * after pauses that double, up to half a minute, each stretched by chance up to twofold (client-go's),
 * and may be refused once more by a server that has answered others already. Contour 1.33.8 took 75 s
 * after half a minute.
 */
function blindness(away: number): number {
  return Math.min(90, 3 * away + 8);
}

const WHAT = {
  "apply canary": "the canary was not applied",
  "apply stable": "the stable Deployment was not applied",
  weigh: "the weights were not changed",
  await: "the pods were not looked at",
  wait: "the pods were not looked at",
  "forget canary": "the route was not changed",
  "remove canary": "the canary was not removed",
  "remove all": "what was made was not removed",
} as const satisfies Record<Deed["do"], string>;
