import { oneLine } from "../text.js";

/** A route as the API server has it, with what gateways say of it. */
export interface RouteSeen {
  readonly metadata: { readonly generation?: number };
  readonly status?: unknown;
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly observedGeneration?: number;
}

/** What a gateway has to say yes to: that it takes the route, and found all it leads to. */
const WANTED = ["Accepted", "ResolvedRefs"];

/** Whether a gateway says of the route as it is that it has taken it over, and found all it leads to. */
export function isTaken({ metadata, status }: RouteSeen): boolean {
  return parentsOf(status).some((conditions) =>
    WANTED.every((type) =>
      conditions.some(
        (each) =>
          each.type === type &&
          each.status === "True" &&
          (each.observedGeneration ?? 0) >= (metadata.generation ?? 0),
      ),
    ),
  );
}

/**
 * What gateways say of a route that none has taken over, for the person who reads it:
 * `ResolvedRefs=False (BackendNotFound): service "iris-canary" not found`.
 */
export function complaintOf({ metadata, status }: RouteSeen): string {
  const parents = parentsOf(status);
  if (parents.length === 0) return "no gateway says anything of it";
  const said = parents.flat();
  const bad = said
    .filter(({ type, status: is }) => WANTED.includes(type) && is !== "True")
    .map(
      ({ type, status: is, reason = "", message = "" }) =>
        `${type}=${is}${reason === "" ? "" : ` (${reason})`}${message === "" ? "" : `: ${message}`}`,
    );
  if (bad.length > 0) return oneLine([...new Set(bad)].join("; "), 400);
  const seen = Math.max(0, ...said.map(({ observedGeneration = 0 }) => observedGeneration));
  return `the gateway speaks of generation ${seen}, the route is at ${metadata.generation ?? 0}`;
}

function parentsOf(status: unknown): readonly (readonly Condition[])[] {
  const { parents = [] } = (status ?? {}) as {
    readonly parents?: readonly { readonly conditions?: readonly Condition[] }[];
  };
  return parents.map(({ conditions = [] }) => conditions);
}
