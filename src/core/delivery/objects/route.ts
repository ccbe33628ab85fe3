import type { Config } from "../../config/schema.js";
import { MANAGED_BY, NAME, trackName } from "./labels.js";
import type { KubernetesObject } from "./types.js";

/** What a route is made of. */
export interface RouteInputs {
  readonly name: string;
  readonly namespace: string;
  readonly config: Config["deploy"];
  /** Port of the Services. */
  readonly port: number;
  /** Share of the requests that the canary gets, in percent. */
  readonly weight: number;
  /** Whether there is a canary: a route to a Service that is not there answers with errors. */
  readonly hasCanary: boolean;
  /** Whether `deploy.route.header` leads to the canary. @default true */
  readonly header?: boolean;
}

/** A thousandth of a percent is what weights are exact to. */
const FINE = 1000;

/** The HTTPRoute that shares the requests between the two Services; undefined without a Gateway. */
export function routeOf(inputs: RouteInputs): KubernetesObject | undefined {
  const { name, namespace, config, hasCanary, header = true } = inputs;
  const { gateway, hostnames, path } = config.route;
  if (gateway === undefined) return undefined;
  const prefix = { path: { type: "PathPrefix", value: path } };
  const [headerName, headerValue] = splitHeader(config.route.header);
  const direct =
    hasCanary && header && headerName !== undefined
      ? [
          {
            matches: [
              { ...prefix, headers: [{ type: "Exact", name: headerName, value: headerValue }] },
            ],
            backendRefs: [backend(trackName(name, "canary"), inputs.port, 1)],
          },
        ]
      : [];
  return {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "HTTPRoute",
    metadata: {
      name,
      namespace,
      labels: { [NAME]: name, [MANAGED_BY]: "slipway" },
    },
    spec: {
      parentRefs: [gatewayOf(gateway)],
      ...(hostnames.length > 0 && { hostnames: [...hostnames] }),
      // The more particular match comes first, as the Gateway API orders them anyway.
      rules: [...direct, { matches: [prefix], backendRefs: backends(inputs) }],
    },
  };
}

/** Name, and namespace where it is another one, of `deploy.route.gateway`. */
export function gatewayOf(gateway: string): { name: string; namespace?: string } {
  const [first = "", second] = gateway.split("/");
  return second === undefined ? { name: first } : { namespace: first, name: second };
}

function backends({ name, port, weight, hasCanary }: RouteInputs): unknown[] {
  if (!hasCanary) return [backend(name, port, 100)];
  const unit = Number.isInteger(weight) ? 1 : FINE;
  const canary = Math.round(weight * unit);
  return [
    backend(name, port, 100 * unit - canary),
    backend(trackName(name, "canary"), port, canary),
  ];
}

function backend(name: string, port: number, weight: number): unknown {
  // Group and kind are what the API server would fill in: nothing looks changed that is not.
  return { group: "", kind: "Service", name, port, weight };
}

function splitHeader(header: string | undefined): [string | undefined, string] {
  const at = header?.indexOf("=") ?? -1;
  return header === undefined ? [undefined, ""] : [header.slice(0, at), header.slice(at + 1)];
}
