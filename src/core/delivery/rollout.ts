import type { Track } from "./objects/index.js";
import type { Observation, Workload } from "./types.js";

/** What is to become of the service. */
export type Goal =
  /** The canary of a release stands and gets this share of the requests. */
  | {
      readonly kind: "canary";
      readonly release: number;
      readonly replicas: number;
      readonly weight: number;
      readonly exposed: boolean;
      /** It stands beside a stable release that does not serve, and is compared with nothing. */
      readonly alone?: boolean;
    }
  /** A release whose canary stands becomes the stable one. */
  | {
      readonly kind: "promote";
      readonly release: number;
      readonly replicas: number;
      readonly mixed?: boolean;
    }
  /** A release becomes the stable one without a canary: the first one, and a rollback. */
  | { readonly kind: "replace"; readonly release: number }
  /** This release serves alone, whatever was under way; without one, nothing is left. */
  | {
      readonly kind: "restore";
      readonly release: number | undefined;
      /**
       * Beside a Deployment of this release there may be objects of another, which was cut off between
       * two of them or refused one: nothing of that is seen, so all are applied once more.
       */
      readonly mixed?: boolean;
    };

/** One thing to do next. */
export type Action =
  /** The route names it then, without a share. */
  | { readonly do: "apply canary"; readonly release: number; readonly replicas: number }
  /** The route stays as it is, and so does a Deployment that is of the release. */
  | { readonly do: "apply stable"; readonly release: number }
  | { readonly do: "weigh"; readonly weight: number; readonly exposed: boolean }
  /** Look until pods have become ready, or cannot. */
  | { readonly do: "await"; readonly track: Track | "route" }
  | {
      readonly do: "wait";
      readonly seconds: number;
      readonly why: "drain" | "keep" | "pause" | "gateway";
    }
  /** The route forgets the canary, whose objects stay: one that is not there may be why no gateway takes it over. */
  | { readonly do: "forget canary" }
  /** The route forgets the canary, then its objects are deleted. */
  | { readonly do: "remove canary" }
  /** Everything of the service is deleted: there was nothing before it. */
  | { readonly do: "remove all" }
  | { readonly do: "done" }
  | { readonly do: "fail"; readonly why: string };

/** Seconds, by the clock of the run that decides. */
export interface Clock {
  /** Since the route is known to weigh as it does. */
  readonly settled: number;
  /** Since something is awaited that has not come. */
  readonly waited: number;
  /** Still to pass until a gateway that lost the API server knows all pods again. */
  readonly unsure: number;
}

/** Seconds, out of the configuration. */
export interface Limits {
  /** A pod goes on answering for so long after it is told to end. */
  readonly drain: number;
  /** Old pods are kept for so long when all requests have left them. */
  readonly keep: number;
  /** In which pods have to become ready. */
  readonly deadline: number;
}

/** What may pass, such as a quota that pods about to end still use, is waited out for so long. */
const DOUBT = 15;

/** So long a gateway may take for a route: one that lost the API server waits half a minute before it looks again. */
const ROUTING = 90;

/** A route that does not lead to the canary any more is mostly taken over at once: later it names it no more. */
const PROMPT = 5;

/** So long whole pods are waited for when all requests have to come back to them at once. */
const WHOLE = 15;

/**
 * The next thing to do on the way to a goal. It knows nothing of what was done before, only what is
 * there: after a crash, a lost answer, or somebody else's hand, asked again it goes on from there.
 *
 * Kept by every answer: no share of the requests goes where no pod is ready while another place has
 * one, nor where the gateway has not heard of before, nor to new pods of which it may not have heard since
 * the API server was away; nothing is deleted that got a request within the drain; a stable Deployment is touched only to promote, replace, or undo that.
 */
export function decide(goal: Goal, seen: Observation, clock: Clock, limits: Limits): Action {
  switch (goal.kind) {
    case "canary":
      return canary(goal, seen, clock, limits);
    case "promote":
      return promote(goal, seen, clock, limits);
    case "replace":
      return replace(goal, seen, clock, limits);
    case "restore":
      return restore(goal, seen, clock, limits);
  }
}

function canary(
  goal: Extract<Goal, { kind: "canary" }>,
  seen: Observation,
  clock: Clock,
  limits: Limits,
): Action {
  const { release, replicas, weight, exposed, alone = false } = goal;
  const { canary: there, stable } = seen;
  const gone = lost(seen);
  if (gone !== undefined) return { do: "fail", why: gone };
  const other = there?.release !== release ? sweep(seen, clock, limits) : undefined;
  if (other) return other;
  if (there?.release !== release || there.replicas < replicas)
    return { do: "apply canary", release, replicas };
  // A gateway answers with errors where it does not know a backend yet: it hears of it without a share.
  if (!seen.named) return { do: "weigh", weight: seen.weight, exposed: seen.exposed };
  const bad = hopeless("canary", there, clock, limits);
  if (bad !== undefined) return { do: "fail", why: bad };
  if (!there.complete) return { do: "await", track: "canary" };
  if (weight < 100 && !alone && (stable?.available ?? 0) === 0)
    return { do: "fail", why: "no pod of the stable release is ready, so nothing can be compared" };
  if (seen.weight !== weight || seen.exposed !== exposed) {
    const isMore = weight > seen.weight || (exposed && !seen.exposed);
    return (isMore ? unsure(clock) : undefined) ?? { do: "weigh", weight, exposed };
  }
  return unrouted(seen, clock) ?? DONE;
}

function promote(
  goal: Extract<Goal, { kind: "promote" }>,
  seen: Observation,
  clock: Clock,
  limits: Limits,
): Action {
  const { release, replicas, mixed = false } = goal;
  const { canary: there, stable } = seen;
  if (stable?.release === release) {
    if (mixed) return { do: "apply stable", release };
    if (stable.complete) {
      const isServed = seen.weight > 0 && (there?.available ?? 0) > 0;
      return (isServed ? unsure(clock) : undefined) ?? sweep(seen, clock, limits) ?? DONE;
    }
    const bad = lost(seen) ?? hopeless("stable", stable, clock, limits);
    return bad === undefined ? { do: "await", track: "stable" } : { do: "fail", why: bad };
  }
  if (there?.release !== release)
    return { do: "fail", why: `the canary of release ${release} is not there any more` };
  if (there.replicas < replicas) return { do: "apply canary", release, replicas };
  const bad = lost(seen) ?? hopeless("canary", there, clock, limits);
  if (bad !== undefined) return { do: "fail", why: bad };
  if (!there.complete) return { do: "await", track: "canary" };
  if (seen.weight !== 100) return unsure(clock) ?? { do: "weigh", weight: 100, exposed: false };
  const behind = unrouted(seen, clock);
  if (behind) return behind;
  if (clock.settled < limits.keep) return rest(limits.keep - clock.settled, "keep");
  return { do: "apply stable", release };
}

function replace(
  { release }: Extract<Goal, { kind: "replace" }>,
  seen: Observation,
  clock: Clock,
  limits: Limits,
): Action {
  const { stable } = seen;
  // Requests that a canary has could not go back to anybody: the new pods are to take them.
  if (stable?.release !== release && (stable?.available ?? 0) === 0)
    return { do: "apply stable", release };
  const first = sweep(seen, clock, limits);
  if (first) return first;
  if (stable?.release !== release) return unsure(clock) ?? { do: "apply stable", release };
  if (stable.complete) return unrouted(seen, clock) ?? DONE;
  const bad = hopeless("stable", stable, clock, limits);
  return bad === undefined ? { do: "await", track: "stable" } : { do: "fail", why: bad };
}

function restore(
  { release, mixed = false }: Extract<Goal, { kind: "restore" }>,
  seen: Observation,
  clock: Clock,
  limits: Limits,
): Action {
  const { stable, canary: other } = seen;
  const served = (other?.available ?? 0) > 0;
  const isUsed = seen.weight > 0 || seen.exposed;
  if (release === undefined)
    return (stable && stable.release > 0) || seen.leftovers || isUsed ? { do: "remove all" } : DONE;
  if (stable?.release !== release || mixed) {
    // Half promoted: the canary, if it can, serves until the pods of before are back.
    if (isUsed && !served && (stable?.available ?? 0) > 0) return AWAY;
    return { do: "apply stable", release };
  }
  if (isUsed && served && stable.available < stable.replicas && seen.weight === 100) {
    const enough = stable.available > 0 && (clock.waited >= WHOLE || stable.trouble?.certain);
    if (!enough && clock.waited < limits.deadline) return { do: "await", track: "stable" };
  }
  const first = sweep(seen, clock, limits);
  if (first) return first;
  if (stable.complete) return DONE;
  const bad = hopeless("stable", stable, clock, limits);
  return bad === undefined ? { do: "await", track: "stable" } : { do: "fail", why: bad };
}

const DONE = { do: "done" } as const;
const AWAY = { do: "weigh", weight: 0, exposed: false } as const;

/** New pods get no requests as long as the gateway may not know them. */
function unsure(clock: Clock): Action | undefined {
  return clock.unsure > 0 ? rest(clock.unsure, "gateway") : undefined;
}

/** Never next to nothing: time that does not pass would be waited for forever. */
function rest(seconds: number, why: "drain" | "keep" | "gateway"): Action {
  return { do: "wait", seconds: Math.max(0.1, seconds), why };
}

/** What clears a canary away; undefined when there is nothing of one. */
function sweep(seen: Observation, clock: Clock, { drain, deadline }: Limits): Action | undefined {
  if (seen.weight > 0 || seen.exposed) {
    const nowhere = (seen.stable?.available ?? 0) === 0;
    // Better a canary that answers than a stable release that does not.
    if (nowhere && (seen.canary?.available ?? 0) > 0)
      return clock.waited < deadline
        ? { do: "await", track: "stable" }
        : { do: "fail", why: "no pod of the stable release is ready to take the requests back" };
    return AWAY;
  }
  if (!seen.leftovers) return undefined;
  // No gateway takes over a route that names a Service which is gone, and nothing has to go there now.
  if (!seen.routed && seen.named && clock.waited >= PROMPT) return { do: "forget canary" };
  const behind = unrouted(seen, clock);
  if (behind) return behind;
  const calm = Math.max(1, drain);
  if (clock.settled < calm) return rest(calm - clock.settled, "drain");
  return { do: "remove canary" };
}

/** The gateway still shares the requests as it was told before. */
function unrouted({ routed, complaint }: Observation, { waited }: Clock): Action | undefined {
  if (routed) return undefined;
  const said = complaint === undefined ? "" : `: ${complaint}`;
  const why = `the gateway has not taken over the route in ${ROUTING} s${said}. Does it allow routes of this namespace, and is its controller well? (kubectl describe httproute)`;
  return waited < ROUTING ? { do: "await", track: "route" } : { do: "fail", why };
}

/** The canary gets requests and has no pod for them. */
function lost({ weight, canary: there }: Observation): string | undefined {
  return weight > 0 && (there?.available ?? 0) === 0
    ? `no pod of the canary is ready, and ${weight} % of the requests go there${there?.trouble ? `: ${there.trouble.why}` : ""}`
    : undefined;
}

function hopeless(
  track: Track,
  { complete, trouble, replicas, available }: Workload,
  { waited }: Clock,
  { deadline }: Limits,
): string | undefined {
  if (complete) return undefined;
  if (trouble && (trouble.certain || waited >= DOUBT)) return trouble.why;
  if (waited < deadline) return undefined;
  const unknown =
    available === replicas ? ", and the Service does not lead to just them (endpointslices)" : "";
  return `the pods of the ${track} Deployment did not become ready in ${deadline} s: ${available} of ${replicas} are${unknown}`;
}
