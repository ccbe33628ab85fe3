import { readFileSync } from "node:fs";

import { dag, ReturnType, type Container, type Directory, type File } from "@dagger.io/dagger";

import type { Labels } from "../../core/analysis/queries.js";
import type { Track } from "../../core/analysis/types.js";
import { NAME, TRACK } from "../../core/delivery/objects/index.js";
import type { Context } from "../context.js";
import { newAttempt, OUT } from "../execution.js";
import { withCluster, type Cluster } from "../kubectl.js";
import { withProgram } from "../programs.js";

/** Where the programs are that reach pods, and what they read. */
export const POD_PROGRAMS = "/slipway-pods";

/** The file among them that says what to do. */
export const SPECIFICATION = "specification.json";

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

/** What a program that reached pods left. */
export interface Ran {
  readonly exitCode: number;
  readonly stderr: string;
  /** Files of its own, by name. */
  readonly files: ReadonlyMap<string, File>;
}

/** Runs such a program with its specification; never an earlier answer. */
export async function runOnPods(container: Container, program: "load" | "smoke"): Promise<Ran> {
  const ran = container
    .withMountedTemp("/tmp")
    .withEnvVariable("SLIPWAY_ATTEMPT", newAttempt())
    .withExec(
      [
        "python3",
        ...[`${program}.py`, SPECIFICATION].map((name) => `${POD_PROGRAMS}/${name}`),
        OUT,
      ],
      { expect: ReturnType.Any },
    );
  const out = ran.directory(OUT);
  const [exitCode, stderr, names] = await Promise.all([
    ran.exitCode(),
    ran.stderr(),
    // There is none when the program did not come so far.
    out.entries().catch((): string[] => []),
  ]);
  return { exitCode, stderr, files: new Map(names.map((name) => [name, out.file(name)])) };
}

/** A container that reaches the pods of the cluster, with further files beside the programs. */
export function withPods(
  context: Context,
  cluster: Cluster,
  files: Readonly<Record<string, string>> = {},
  ...programs: "k6"[]
): Container {
  return withCluster(withProgram(context, "kubectl", ...programs), cluster).withMountedDirectory(
    POD_PROGRAMS,
    podPrograms(files),
  );
}

/** `Host` header of requests: the route's own name, which the service knows. */
export function hostOf({ config }: Pick<Context, "config">, name: string): string {
  return config.deploy.route.hostnames[0]?.replace("*", name) ?? name;
}

function podPrograms(files: Readonly<Record<string, string>>): Directory {
  const text = (name: string): string =>
    readFileSync(new URL(`../${name}`, import.meta.url), "utf8");
  const programs = {
    "answers.py": text("python/answers.py"),
    "cluster.py": text("python/cluster.py"),
    "forwards.py": text("python/forwards.py"),
    "load.py": text("python/load.py"),
    "metrics.py": text("python/metrics.py"),
    "proxy.py": text("python/proxy.py"),
    "smoke.py": text("python/smoke.py"),
    "tunnel.py": text("python/tunnel.py"),
    "load.js": text("k6/load.js"),
    ...files,
  };
  return Object.entries(programs).reduce(
    (folder, [name, contents]) => folder.withNewFile(name, contents),
    dag.directory(),
  );
}
