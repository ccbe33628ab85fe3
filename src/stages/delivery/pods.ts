import { ReturnType, type Container, type Directory } from "@dagger.io/dagger";

import type { Labels } from "../../core/analysis/queries.js";
import type { Track } from "../../core/analysis/types.js";
import { NAME, TRACK } from "../../core/delivery/objects/index.js";
import type { Context } from "../context.js";
import { newAttempt, OUT } from "../execution.js";
import { withCluster, type Cluster } from "../kubectl.js";
import { withProgram } from "../programs.js";

/** The release to look at, and the one to compare it with. */
export interface AnalysisTarget {
  /** The service's name in the cluster. */
  readonly name: string;
  /** Name of the canary's Service or Deployment: `NAME-canary`, or `NAME` for a promoted release. */
  readonly canary: string;
  /** Name of the stable one. Absent when there is none to compare with. */
  readonly stable?: string | undefined;
  /** Port of the pods. */
  readonly port: number;
  readonly release: number;
  /** Share of the requests that the canary gets, in percent. */
  readonly weight: number;
}

/** Label selector of the pods behind Services or Deployments of the service. */
export function selectorOf(
  target: Pick<AnalysisTarget, "name">,
  ...of: readonly (string | undefined)[]
): string {
  const tracks = of.filter((each) => each !== undefined).map((each) => trackOf(target, each));
  return `${NAME}=${target.name},${TRACK} in (${tracks.join(",")})`;
}

/** The track of the pods behind a Service or Deployment of the service. */
function trackOf({ name }: Pick<AnalysisTarget, "name">, of: string): Track {
  return of === name ? "stable" : "canary";
}

/** The tracks of the pods that are looked at. */
export function labelsOf(target: Pick<AnalysisTarget, "name" | "canary" | "stable">): Labels {
  const { canary, stable } = target;
  return {
    canary: trackOf(target, canary),
    ...(stable === undefined ? {} : { stable: trackOf(target, stable) }),
  };
}

/** A program that reaches pods, once it has run. */
export interface Ran {
  readonly exitCode: number;
  readonly stderr: string;
  /** The report that it left; none when it did not come so far. */
  readonly report: string | undefined;
  /** Bytes of its other file, likewise. */
  readonly bytes: number | undefined;
  /** All that it left. */
  readonly out: Directory;
}

/** Runs such a program with its specification; never an earlier answer. */
export async function runOnPods(
  container: Container,
  command: readonly string[],
  specification: object,
  { report, other }: { readonly report: string; readonly other?: string },
): Promise<Ran> {
  const ran = await container
    .withMountedTemp("/tmp")
    .withEnvVariable("SLIPWAY_ATTEMPT", newAttempt())
    .withExec([...command, OUT], {
      stdin: JSON.stringify(specification),
      expect: ReturnType.Any,
    })
    .sync();
  const out = ran.directory(OUT);
  const none = (): undefined => undefined;
  const [exitCode, stderr, text, bytes] = await Promise.all([
    ran.exitCode(),
    ran.stderr(),
    out.file(report).contents().catch(none),
    other === undefined ? undefined : out.file(other).size().catch(none),
  ]);
  return { exitCode, stderr, report: text, bytes, out };
}

/** A container that reaches the pods of the cluster. */
export function withPods(context: Context, cluster: Cluster, ...programs: "k6"[]): Container {
  return withCluster(withProgram(context, "kubectl", ...programs), cluster);
}

/** `Host` header of requests: the route's own name, which the service knows. */
export function hostOf({ config }: Pick<Context, "config">, name: string): string {
  return config.deploy.route.hostnames[0]?.replace("*", name) ?? name;
}
