import type { KubernetesObject } from "./objects/index.js";

/** Objects of one kind in a namespace: all, some, or one. */
export interface Place {
  /** Group, version and plural, as in its path: `apps/v1/deployments`, `v1/pods`. */
  readonly kind: string;
  /** Of another namespace than the service's; empty where the kind has none. */
  readonly namespace?: string | undefined;
  readonly name?: string;
  /** Of labels; only those that match. */
  readonly selector?: string;
}

/** What is deleted: objects of a place, or an object, if it has these labels. */
export type Unwanted = Place | { readonly object: KubernetesObject; readonly selector?: string };

/** A request to the API server: what `python/cluster.py` makes of it is one or a few of HTTP. */
export type ApiRequest =
  /** One object; no output when it is not there, unless it has to be. */
  | { readonly one: Place; readonly needed?: boolean }
  /** What is there in all of these places, as a list, or a line for each (`queries.ts`). */
  | { readonly all: readonly Place[]; readonly as?: "summary" }
  | { readonly patch: Place; readonly operations: readonly object[] }
  /** Tells what came of each. */
  | { readonly create: readonly object[] }
  /** Server-side: what others manage is refused, with who they are, unless it is forced. */
  | {
      readonly apply: readonly KubernetesObject[];
      readonly manager: string;
      readonly force?: boolean;
    }
  /** What is not there is no error, and nothing is waited for. */
  | { readonly delete: readonly Unwanted[] };

/** The request with the paths of its places. */
export function withPaths(request: ApiRequest, namespace: string): object {
  const path = (place: Place): string => pathOf(place, namespace);
  if ("one" in request) return { ...request, one: path(request.one) };
  if ("all" in request) return { ...request, all: request.all.map(path) };
  if ("patch" in request) return { ...request, patch: path(request.patch) };
  if ("delete" in request)
    return { delete: request.delete.map((each) => ("object" in each ? each : path(each))) };
  return request;
}

function pathOf({ kind, name, selector, namespace }: Place, own: string): string {
  const at = kind.lastIndexOf("/");
  const version = kind.slice(0, at);
  const base = version.includes("/") ? `/apis/${version}` : `/api/${version}`;
  const among = namespace ?? own;
  const within = among === "" ? "" : `/namespaces/${among}`;
  const one = name === undefined ? "" : `/${name}`;
  const some = selector === undefined ? "" : `?labelSelector=${encodeURIComponent(selector)}`;
  return `${base}${within}/${kind.slice(at + 1)}${one}${some}`;
}
