import { isAllThatCanBe, isMixed, recovery } from "./recovery.js";
import { liveRelease, nextNumber, releasesToForget } from "./release.js";
import { decide, type Action, type Goal, type Limits } from "./rollout.js";
import type { Observation, ReleaseRecord, Status } from "./types.js";
import { Refused, Stuck, type Hands, type World } from "./world.js";

/** So many deeds on the way to one goal mean that somebody else undoes them. */
const ENOUGH = 40;

/** One run at a service: its releases and what was seen last, and the way from there to a goal. */
export class Run {
  records: readonly ReleaseRecord[];
  seen: Observation;
  /** When the route was first known to be as it is. */
  private settledAt: number;
  /** When something was first awaited that has not come. */
  private awaitedAt: number | undefined;
  /** Something failed half way: what is there now is not what was seen. */
  private isStale = false;

  constructor(
    readonly world: World,
    records: readonly ReleaseRecord[],
    seen: Observation,
  ) {
    this.records = records;
    this.seen = seen;
    this.settledAt = world.now();
  }

  get live(): ReleaseRecord | undefined {
    return liveRelease(this.records);
  }

  get next(): number {
    return nextNumber(this.records);
  }

  /** Records a release, before whatever is done next. */
  save(...changed: readonly ReleaseRecord[]): void {
    for (const record of changed)
      this.records = [
        ...this.records.filter(({ number }) => number !== record.number),
        record,
      ].sort((one, other) => one.number - other.number);
    this.world.save(...changed);
  }

  /** Forgets releases that are more than are to be kept, with whatever is done next. */
  forget(keep: number): void {
    const numbers = releasesToForget(this.records, keep);
    this.records = this.records.filter(({ number }) => !numbers.includes(number));
    if (numbers.length > 0) this.world.forget(numbers);
  }

  /**
   * Does one thing after the other until a goal is reached.
   *
   * @param tried The release that it is about, whose limits and objects count.
   * @param first Awaited before anything is deleted.
   * @throws Stuck when it cannot be reached, or was reached without what the cluster refused to tidy
   *   up; whatever the world throws.
   */
  async pursue(
    wanted: Goal,
    tried: ReleaseRecord | undefined,
    first?: Promise<unknown>,
  ): Promise<void> {
    let goal = wanted;
    let refused: string | undefined;
    const limits = limitsOf(tried ?? this.live);
    this.awaitedAt = undefined;
    let isTold = false;
    if (this.isStale) this.see(await this.world.look());
    for (let deeds = 0; deeds < ENOUGH;) {
      const action = this.decide(goal, limits);
      if (action.do === "done") {
        if (refused !== undefined) throw new Stuck(refused);
        return;
      }
      if (action.do === "fail") throw new Stuck(action.why);
      const isPatient = action.do === "await" || action.do === "wait";
      if (!isPatient) deeds += 1;
      if (action.do === "wait" && action.why === "gateway" && !isTold) {
        isTold = true;
        const seconds = Math.ceil(action.seconds);
        this.world.say(
          `the API server was away: ${seconds} s for the gateway to learn of the pods again`,
        );
      }
      if (action.do === "await") this.awaitedAt ??= this.world.now();
      else this.awaitedAt = undefined;
      if (action.do === "remove canary" || action.do === "remove all") await first;
      const isTidying = this.isTidying(action);
      try {
        await this.act(action, tried);
      } catch (error) {
        // The requests do not wait for what is only to be tidied up.
        if (!(error instanceof Refused) || !isTidying || refused !== undefined) throw error;
        refused = error.message;
        this.see(await this.world.look());
      }
      if (action.do === "apply stable") goal = whole(goal);
    }
    throw new Stuck(
      "what was done was undone again and again: somebody or something else changes the route or the Deployments",
    );
  }

  /** Whether what serves stays as it is: the objects beside a Deployment, and what there was nothing before. */
  private isTidying(action: Action): boolean {
    if (action.do === "apply stable") return this.seen.stable?.release === action.release;
    return action.do === "remove all";
  }

  /** Does one thing and looks again. */
  async act(
    action: Exclude<Action, { readonly do: "done" | "fail" }>,
    tried: ReleaseRecord | undefined,
  ): Promise<void> {
    this.isStale = true;
    this.see(await this.world.act(action, this.hands(action, tried)));
  }

  /** Takes note of what is there by now. */
  see(seen: Observation): void {
    const moved = seen.weight !== this.seen.weight || seen.exposed !== this.seen.exposed;
    // When the gateway took it over is not known better than by when it was seen.
    if (moved || !seen.routed || !this.seen.routed) this.settledAt = this.world.now();
    this.seen = seen;
    this.isStale = false;
  }

  /**
   * Finishes or takes back what an earlier run left half done.
   *
   * @returns What is not as it should be all the same, and is nothing that a run left: mostly that the
   *   pods of what is live are not ready, for which a new release may be the cure.
   */
  async recover(
    waiting: "leave" | "take back",
    becomes?: Status,
    why?: string,
  ): Promise<string | undefined> {
    const found = recovery(this.records, this.seen, waiting);
    if (!found) return undefined;
    const { goal, release } = found;
    this.world.say(`${found.why}: ${goal.kind === "restore" ? "taking it back" : "finishing it"}`);
    let amiss: string | undefined;
    try {
      await this.pursue(goal, release);
    } catch (error) {
      if (!(error instanceof Stuck) || !isAllThatCanBe(goal, this.seen)) throw error;
      amiss = error.message;
      this.world.say(`warning: ${amiss}`);
    }
    if (!release) return amiss;
    const status = found.becomes === "live" ? "live" : (becomes ?? found.becomes);
    const ended = { ...release, status, finishedAt: this.world.date().toISOString() };
    if (status === "live") await this.finish(ended);
    else {
      this.tidy(ended);
      this.save({ ...ended, why: why ?? release.why ?? found.why });
    }
    await this.world.flush();
    return amiss;
  }

  /** Deletes, before whatever is done next, what only a release has that was taken back. */
  tidy(tried: ReleaseRecord): void {
    const { live } = this;
    // As long as a canary is there it may need them.
    // It may not have come to all of them: one of that name may be somebody else's.
    if (live && isMixed(tried) && !this.seen.leftovers)
      this.world.prune(leftBehind(tried, live), "marked");
  }

  /** A release serves alone by now: the alias follows, it is recorded, what it replaced is history. */
  async finish(record: ReleaseRecord): Promise<ReleaseRecord> {
    const before = this.records.filter(
      ({ status, number }) => status === "live" && number !== record.number,
    );
    const warning = await this.world.moveAlias(record);
    if (warning !== undefined) this.world.say(warning);
    const finishedAt = this.world.date().toISOString();
    const live: ReleaseRecord = {
      ...record,
      status: "live",
      finishedAt,
      why: warning,
    };
    const replaced = record.kind === "rollback" ? "rolled-back" : "superseded";
    this.save(live, ...before.map((each): ReleaseRecord => ({ ...each, status: replaced })));
    this.world.prune(leftBehind(before.at(-1), live), "all");
    this.forget(live.config.history);
    return live;
  }

  private decide(goal: Goal, limits: Limits): Action {
    const now = this.world.now();
    const waited = this.awaitedAt === undefined ? 0 : now - this.awaitedAt;
    return decide(
      goal,
      this.seen,
      { settled: now - this.settledAt, waited, unsure: this.world.unsure() },
      limits,
    );
  }

  private hands(action: Action, tried: ReleaseRecord | undefined): Hands {
    const of = (number: number) => this.records.find((each) => each.number === number);
    const release = action.do === "apply stable" ? of(action.release) : tried;
    const stable = this.seen.stable && of(this.seen.stable.release);
    return { seen: this.seen, release, routes: stable ?? release ?? this.live };
  }
}

/** The goal once all objects of its release were applied. */
function whole(goal: Goal): Goal {
  return goal.kind === "restore" || goal.kind === "promote" ? { ...goal, mixed: false } : goal;
}

function limitsOf(record: ReleaseRecord | undefined): Limits {
  const { drain = 5, keep = 30, deadline = 600 } = record?.config ?? {};
  return { drain, keep, deadline };
}

/**
 * Objects of the release before that the new one has not: nothing looks after them any more. A volume's
 * claim is not among them: with it would go what it holds.
 */
export function leftBehind(
  before: ReleaseRecord | undefined,
  live: ReleaseRecord,
): ReleaseRecord["objects"] {
  const key = ({ apiVersion, kind, metadata }: ReleaseRecord["objects"][number]) =>
    [apiVersion.split("/")[0], kind, metadata.namespace ?? "", metadata.name].join(" ");
  const kept = new Set(live.objects.map(key));
  return (before?.objects ?? []).filter(
    (object) => object.kind !== "PersistentVolumeClaim" && !kept.has(key(object)),
  );
}
