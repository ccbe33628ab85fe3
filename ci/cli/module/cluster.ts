import { existsSync, readFileSync } from "node:fs";
import { homedir, userInfo } from "node:os";
import { delimiter, join } from "node:path";

import { usageError } from "../failure.js";
import { kebab } from "../names.js";
import type { Step } from "./parse.js";
import type { Value } from "./values.js";

type Environment = Readonly<Record<string, string | undefined>>;

const NO_CLUSTER =
  "There is no cluster to go to: set KUBE_CONFIG_DATA to a kubeconfig (plain or base64) or KUBECONFIG to its path, or pass --kube-config env://NAME or file://PATH.";

/** A server that answers on this machine alone: no container reaches it by that name. */
const LOOPBACK = /^\s*server:\s*["']?https?:\/\/(127\.0\.0\.1|localhost|\[::1\])(?::(\d+))?/m;

/**
 * What functions of delivery are told without being asked to: the cluster, out of KUBE_CONFIG_DATA or
 * where kubectl looks for it, who deploys, and the tokens of the model registry, which `release` takes too,
 * and of the metrics server.
 *
 * @throws CliError when there is no cluster.
 */
export function withCluster(step: Step, env: Environment, run: string): Step {
  const takes = (name: string): boolean => step.fn.args.some((arg) => arg.name === name);
  const goes = takes("kubeConfig");
  if (!goes && !takes("modelToken")) return step;
  const args = new Map<string, Value>(step.args);
  const give = (name: string, value: Value | undefined): void => {
    if (value && takes(name) && !args.has(name)) args.set(name, value);
  };
  const chosen = !goes || args.has("kubeConfig") ? undefined : whereIs(env);
  // `validate` tells of it among all else that is missing.
  if (goes && !chosen && !args.has("kubeConfig") && step.fn.name !== "validate")
    throw usageError(env.KUBECONFIG ? notThere(env.KUBECONFIG) : NO_CLUSTER);
  if (chosen) {
    give("kubeConfig", address("Secret", chosen.address));
    const server = LOOPBACK.exec(plain(chosen.text));
    if (server) give("cluster", address("Service", `tcp://127.0.0.1:${server[2] ?? "443"}`));
  }
  if (env.MLFLOW_TRACKING_TOKEN)
    give("modelToken", address("Secret", "env://MLFLOW_TRACKING_TOKEN"));
  if (env.METRICS_TOKEN) give("metricsToken", address("Secret", "env://METRICS_TOKEN"));
  give("by", { kind: "literal", text: JSON.stringify(env.GITHUB_ACTOR ?? userInfo().username) });
  if (step.fn.name !== "abort") give("run", { kind: "literal", text: JSON.stringify(run) });
  return { fn: step.fn, args };
}

/** The flags that name the cluster of `step`, and who works on it, to another function. */
export function clusterFlags({ args }: Step): string[] {
  return ["kubeConfig", "cluster", "by"].flatMap((name) => {
    const value = args.get(name);
    if (value?.kind === "address") return [`--${kebab(name)}`, value.address];
    return value?.kind === "literal" ? [`--${kebab(name)}`, JSON.parse(value.text) as string] : [];
  });
}

function whereIs(
  env: Environment,
): { readonly address: string; readonly text: string } | undefined {
  const { KUBE_CONFIG_DATA: data, KUBECONFIG: paths = "" } = env;
  if (data !== undefined && data !== "") return { address: "env://KUBE_CONFIG_DATA", text: data };
  const named = paths.split(delimiter).filter((path) => path !== "");
  const places = named.length > 0 ? named : [join(homedir(), ".kube", "config")];
  const file = places.find((path) => existsSync(path));
  if (file === undefined) return undefined;
  return { address: `file://${file}`, text: readFileSync(file, "utf8") };
}

function notThere(paths: string): string {
  const named = paths.split(delimiter).filter((path) => path !== "");
  return `There is no cluster to go to: KUBECONFIG names ${named.join(" and ")}, and there is no such file.`;
}

/** Where the kubeconfig of a call came from, as a person names it: `KUBECONFIG: /path`; undefined without one. */
export function kubeconfigOf(steps: readonly Step[], env: Environment): string | undefined {
  const value = steps.map(({ args }) => args.get("kubeConfig")).find((each) => each !== undefined);
  if (value?.kind !== "address") return undefined;
  const place = value.address.replace(/^(env|file):(\/\/)?/, "");
  return env.KUBECONFIG?.split(delimiter).includes(place) ? `KUBECONFIG: ${place}` : place;
}

/** A kubeconfig may be given in base64, as secrets of CI systems often are. */
function plain(text: string): string {
  return text.includes("server:") ? text : Buffer.from(text, "base64").toString();
}

function address(type: string, value: string): Value {
  return { kind: "address", type, address: value, ignore: [] };
}
