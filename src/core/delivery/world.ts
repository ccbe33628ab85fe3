import type { Analysis } from "../analysis/types.js";
import { SlipwayError } from "../errors.js";
import type { Action } from "./rollout.js";
import type { Observation, ReleaseRecord } from "./types.js";

/** What is done in the cluster, rather than said. */
export type Deed = Exclude<Action, { readonly do: "done" | "fail" }>;

/** What a deed is done with. */
export interface Hands {
  readonly seen: Observation;
  /** The release that an `apply` is about; of a `weigh` or `remove`, the one that is tried. */
  readonly release: ReleaseRecord | undefined;
  /** The release whose route it is now: the one that is stable, else the one that becomes it. */
  readonly routes: ReleaseRecord | undefined;
}

/**
 * The cluster and all else that a rollout has to do with. The processes in this folder know nothing
 * else of the world, so that a simulated one puts them to the test.
 */
export interface World {
  /** Seconds, by a clock that only goes forward. */
  now(): number;
  date(): Date;
  /** Seconds for which a gateway may not know new pods yet, since the API server was away. */
  unsure(): number;
  look(): Promise<Observation>;
  /** Does one thing, waits for what it leads to for some seconds, and looks again. */
  act(deed: Deed, hands: Hands): Promise<Observation>;
  /** Records releases before whatever is done next. */
  save(...records: readonly ReleaseRecord[]): void;
  /** Deletes records with whatever is done next. */
  forget(numbers: readonly number[]): void;
  /**
   * Deletes objects with what is done next; one that cannot be deleted is told of.
   *
   * @param which `marked`: of these only what Slipway has put its label on.
   */
  prune(objects: ReleaseRecord["objects"], which: "all" | "marked"): void;
  /** Does now what was to be done with the next deed. */
  flush(): Promise<void>;
  /** One measurement at this weight. */
  analyse(release: ReleaseRecord, weight: number): Promise<Analysis>;
  smoke(release: ReleaseRecord): Promise<{ readonly ok: boolean; readonly why: string }>;
  /** Lets the model registry's alias point at the release's model; gives what went wrong. */
  moveAlias(release: ReleaseRecord): Promise<string | undefined>;
  /** States, events and last words of the pods that are in trouble, for the person who reads it. */
  gather(seen: Observation): Promise<string>;
  say(text: string): void;
}

/** The release cannot go on: why, for the person who reads it. It is taken back. */
export class Stuck extends Error {
  override readonly name = "Stuck";
}

/** The API server answered that it does not do something: to ask again is of no use. */
export class Refused extends SlipwayError {
  constructor(message: string) {
    super("DELIVERY", message);
  }
}

/** Another run has the lease by now: this one keeps its hands off. */
export class LeaseLost extends Error {
  override readonly name = "LeaseLost";

  /** @param holder Who has it; empty when it was given back since. */
  constructor(holder: string) {
    const by = holder === "" ? "another run, which has ended" : holder;
    super(
      `The deployment was taken over by ${by}: this run has stopped and left everything to it. See \`slipway status\`.`,
    );
  }
}
