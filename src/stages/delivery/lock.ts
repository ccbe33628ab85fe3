import {
  claim,
  freePatch,
  LEASE_SECONDS,
  leaseName,
  leasePlace,
  microTime,
  newLease,
  readLease,
  releasePatch,
  renewPatch,
  takePatch,
  type Lease,
} from "../../core/delivery/lease.js";
import { refusal } from "../../core/delivery/refusal.js";
import { LeaseLost } from "../../core/delivery/world.js";
import { SlipwayError } from "../../core/errors.js";
import type { Context } from "../context.js";
import { kubectl, type Cluster, type Request } from "../kubectl.js";
import type { Answer } from "../requests.js";

/** Seconds between two signs of life. */
const BEAT = 8;

/** What kubectl says when to try again is of no use; all else may be somebody who was quicker. */
const NEVER = /\bForbidden\b|\bUnauthorized\b|namespaces? "[^"]*" not found|denied the request/i;

/** How often a lease is tried to get that others get first, or that the cluster does not give. */
const MOST_TRIES = 10;

/** The service's lease: whoever has it may change the service, nobody else. */
export class Lock {
  /** Told how each sign of life was answered that is given during work. */
  onBeat: (answer: Answer) => void = () => undefined;

  private constructor(
    private readonly context: Context,
    private readonly cluster: Cluster,
    private readonly service: string,
    readonly me: string,
  ) {}

  /**
   * Takes the lease. One whose holder gives no sign of life for 30 s is taken over.
   *
   * @param force Take it from a holder that lives: `abort`.
   * @param also Asked in the execution that gets it.
   * @returns The lock, and the answers to `also`, given while it was held.
   * @throws SlipwayError USAGE when another deployment is in progress; DELIVERY when the cluster gives no lease.
   */
  static async acquire(
    context: Context,
    cluster: Cluster,
    service: string,
    me: string,
    { force, also }: { readonly force: boolean; readonly also: readonly Request[] },
  ): Promise<{ readonly lock: Lock; readonly answers: readonly Answer[] }> {
    const name = leaseName(service);
    const get = leaseOf(service);
    let watched: { readonly lease: Lease; readonly seconds: number } | undefined;
    // Mostly it was given back: then one execution takes it and looks.
    let first: Request[] = [patch(service, freePatch(me, microTime(new Date())))];
    for (let tries = 1; ; tries++) {
      const answers = await kubectl(context, cluster, [...first, get, ...also]);
      const [seen, ...rest] = answers.slice(first.length);
      if (seen?.exitCode !== 0)
        throw new SlipwayError(
          "DELIVERY",
          refusal(
            "Nothing was changed: the cluster does not say whether another deployment is in progress",
            seen?.stderr ?? "",
          ),
        );
      const refused = first.length > 0 && answers[0]?.exitCode !== 0 ? answers[0]?.stderr : "";
      if (refused && (NEVER.test(refused) || tries >= MOST_TRIES))
        throw new SlipwayError(
          "DELIVERY",
          refusal(`Nothing was changed: the lease ${name} cannot be taken`, refused),
        );
      const lease = readLease(seen.stdout);
      const now = microTime(new Date());
      switch (claim(lease, me, watched, force)) {
        case "hold":
          return { lock: new Lock(context, cluster, service, me), answers: rest };
        case "create":
          first = [{ api: { create: [newLease(service, cluster.namespace, me, now)] } }];
          break;
        case "take":
          first = lease ? [patch(service, takePatch(lease, me, now))] : [];
          break;
        case "wait":
          if (lease) {
            await this.watch(context, cluster, service, seen.stdout);
            watched = { lease, seconds: LEASE_SECONDS };
          }
          first = [];
          break;
        case "refuse":
          throw new SlipwayError(
            "USAGE",
            `Nothing was changed: another deployment of ${service} is in progress (${lease?.holder ?? ""}). Wait for it, or end it with \`slipway abort\`.`,
          );
      }
    }
  }

  /** Waits until the lease changes, at most as long as a holder may be silent. */
  private static async watch(
    context: Context,
    cluster: Cluster,
    service: string,
    from: string,
  ): Promise<void> {
    const changed = { from, seconds: LEASE_SECONDS };
    await kubectl(context, cluster, [{ ...leaseOf(service), changed, every: 2 }]);
  }

  /** To be asked first, with all else needing it: then nothing is done by who lost the lease. */
  renewal(): Request {
    return patch(this.service, renewPatch(this.me, microTime(new Date())));
  }

  /** @throws LeaseLost when the lease was not renewed since somebody else has it. */
  async check(answer: Answer): Promise<void> {
    if (!answer || answer.exitCode === 0) return;
    // Of a patch whose test failed no more is said than that it is not valid.
    if (!/\((Invalid|NotFound)\)/.test(answer.stderr)) return;
    const [seen] = await kubectl(this.context, this.cluster, [leaseOf(this.service)]);
    if (seen?.exitCode !== 0) return;
    const holder = readLease(seen.stdout)?.holder ?? "";
    if (holder !== this.me) throw new LeaseLost(holder);
  }

  /** Gives signs of life while something works that does not. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    let beat: Promise<void> | undefined;
    let lost: unknown;
    const renew = async (): Promise<void> => {
      const [answer] = await kubectl(this.context, this.cluster, [this.renewal()]);
      this.onBeat(answer);
      await this.check(answer);
    };
    const timer = setInterval(() => {
      // While the API server is away a sign of life takes longer than the time to the next one.
      beat ??= renew()
        .catch((error: unknown) => {
          lost ??= error;
        })
        .finally(() => {
          beat = undefined;
        });
    }, BEAT * 1000);
    try {
      return await work();
    } finally {
      clearInterval(timer);
      await beat;
      // Whatever work gave, it is no longer this run's.
      if (lost instanceof LeaseLost) throw lost;
    }
  }

  /** Gives it back at once. */
  async giveBack(): Promise<void> {
    await kubectl(this.context, this.cluster, [this.release()]);
  }

  /** Gives the lease back, so that the next run need not wait. */
  release(): Request {
    return patch(this.service, releasePatch(this.me));
  }
}

/** Asks for the lease. */
export function leaseOf(service: string): Request {
  return { api: { one: leasePlace(service) } };
}

function patch(service: string, operations: readonly object[]): Request {
  return { api: { patch: leasePlace(service), operations } };
}
