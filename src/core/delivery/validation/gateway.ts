import * as z from "zod";
import { failed, passed, warned, type Finding, type Said } from "./findings.js";
import { parsed, reason } from "./server.js";

const condition = z.looseObject({
  type: z.string(),
  status: z.string(),
  message: z.string().optional(),
});

const listener = z.looseObject({
  name: z.string(),
  hostname: z.string().optional(),
  protocol: z.string(),
  allowedRoutes: z
    .looseObject({ namespaces: z.looseObject({ from: z.string().optional() }).optional() })
    .optional(),
});

const gateway = z.looseObject({
  metadata: z.looseObject({ namespace: z.string().optional() }),
  spec: z.looseObject({ listeners: z.array(listener).default([]) }),
  status: z.looseObject({ conditions: z.array(condition).default([]) }).optional(),
});

/** What a route asks of its Gateway. */
export interface Wanted {
  /** `deploy.route.gateway` */
  readonly gateway: string;
  /** The service's namespace. */
  readonly namespace: string;
  readonly hostnames: readonly string[];
}

/** Whether the Gateway is there, works, and takes the service's route. */
export function gatewayFinding(wanted: Wanted, said: Said): Finding {
  const { gateway: name, namespace, hostnames } = wanted;
  if (said?.exitCode !== 0) return notFound(name, said);
  const read = parsed(gateway, said.stdout);
  if (!read) return failed("gateway", `${name} cannot be read`);
  const bad = (read.status?.conditions ?? []).find(
    ({ type, status }) => ["Accepted", "Programmed"].includes(type) && status !== "True",
  );
  if (bad || (read.status?.conditions ?? []).length === 0)
    return failed(
      "gateway",
      bad
        ? `${name} is not ${bad.type}: ${bad.message ?? ""}`
        : `${name} is not accepted by any controller`,
      "look at the Gateway's controller and its class",
    );
  const open = read.spec.listeners.filter(
    ({ protocol, allowedRoutes }) =>
      /^HTTPS?$/.test(protocol) &&
      takes(allowedRoutes?.namespaces?.from ?? "Same", read.metadata.namespace, namespace),
  );
  if (open.length === 0)
    return failed(
      "gateway",
      `no listener of ${name} takes routes of namespace ${namespace}`,
      "allow it: spec.listeners[].allowedRoutes.namespaces",
    );
  const strange = hostnames.filter((host) => !open.some((each) => serves(each.hostname, host)));
  if (strange.length > 0)
    return failed(
      "gateway",
      `no listener of ${name} is for ${strange.join(", ")}`,
      "correct deploy.route.hostnames, or the listeners",
    );
  return passed("gateway", `${name}, ${open.map((each) => each.name).join(", ")}`);
}

function notFound(name: string, said: Said): Finding {
  const text = said?.stderr ?? "";
  if (/doesn't have a resource type|no matches for kind|could not find the requested/.test(text))
    return failed(
      "gateway",
      "the cluster does not know the Gateway API",
      "install it and a controller for it, or leave deploy.route.gateway out: weights are then shares of pods",
    );
  if (text.includes("(NotFound)"))
    return failed("gateway", `there is no Gateway ${name}`, "correct deploy.route.gateway");
  // It belongs to somebody else: to work with it the caller need not be able to see it.
  if (text.includes("(Forbidden)"))
    return warned(
      "gateway",
      `${name} may not be looked at by the caller; whether it works is not known`,
    );
  return failed("gateway", `not known: ${reason(said)}`);
}

function takes(from: string, own: string | undefined, namespace: string): boolean {
  // By a selector of labels it may or may not: the route's status tells.
  return from === "All" || from === "Selector" || (from === "Same" && own === namespace);
}

function serves(listens: string | undefined, host: string): boolean {
  if (listens === undefined || listens === "") return true;
  const matches = (pattern: string, name: string): boolean =>
    pattern === name || (pattern.startsWith("*.") && name.endsWith(pattern.slice(1)));
  return matches(listens, host) || matches(host, listens);
}
