import * as z from "zod";
import { lastLines } from "../../text.js";
import type { Kubeconfig } from "../kubeconfig.js";
import { failed, passed, warned, type Finding, type Said } from "./findings.js";

/** The oldest minor version of Kubernetes 1 whose pods can be drained as Slipway does (`preStop.sleep`). */
const OLDEST = 30;

const HOUR = 3_600_000;

/** What the kubeconfig itself says. */
export function kubeconfigFindings(
  { problems, warnings, context, server, expires }: Kubeconfig,
  now: Date,
): Finding[] {
  if (problems.length > 0)
    return problems.map((problem) =>
      failed("kubeconfig", problem, "correct KUBE_CONFIG_DATA (--kube-config)"),
    );
  const until = expires === undefined ? "" : `, valid until ${expires.toISOString()}`;
  const soon = expires !== undefined && expires.getTime() - now.getTime() < HOUR;
  return [
    soon
      ? warned(
          "kubeconfig",
          `context ${context}${until}: less than an hour`,
          "a deployment that takes longer ends with a refusal; make a token that lives longer",
        )
      : passed("kubeconfig", `context ${context}, ${server}${until}`),
    ...warnings.map((warning) => warned("kubeconfig", warning)),
  ];
}

const versions = z.looseObject({
  clientVersion: z.looseObject({ major: z.string(), minor: z.string() }),
  serverVersion: z
    .looseObject({ major: z.string(), minor: z.string(), gitVersion: z.string() })
    .optional(),
});

/** Whether the API server answers, and kubectl and it know each other (`kubectl version --output=json`). */
export function serverFinding(said: Said): Finding {
  const read = said && parsed(versions, said.stdout);
  const server = read?.serverVersion;
  if (!read || !server || said.exitCode !== 0)
    return failed(
      "cluster",
      `the API server does not answer: ${reason(said)}`,
      "look at the server's address, the network, and --cluster for one on this machine",
    );
  const minor = number(server.minor);
  const own = number(read.clientVersion.minor);
  if (minor < OLDEST)
    return failed(
      "cluster",
      `Kubernetes ${server.gitVersion} is older than 1.${OLDEST}, which cannot drain pods by preStop.sleep`,
      "use a newer cluster",
    );
  if (Math.abs(minor - own) > 1)
    return warned(
      "cluster",
      `Kubernetes ${server.gitVersion} and kubectl 1.${own} are more than one minor version apart`,
      `set images.kubectl to one of version 1.${minor}`,
    );
  return passed("cluster", `Kubernetes ${server.gitVersion}, kubectl 1.${own}`);
}

const whoami = z.looseObject({
  status: z.looseObject({ userInfo: z.looseObject({ username: z.string() }) }),
});

/** Who the cluster takes the caller for (SelfSubjectReview). */
export function userFinding(said: Said): Finding {
  const read = said?.exitCode === 0 ? parsed(whoami, said.stdout) : undefined;
  const name = read?.status.userInfo.username ?? "";
  if (name === "" || name === "system:anonymous")
    return failed(
      "credentials",
      name === ""
        ? `the cluster does not accept them: ${reason(said)}`
        : "the cluster takes the caller for nobody (system:anonymous)",
      "make a new kubeconfig; its token or certificate was revoked, or is another cluster's",
    );
  return passed("credentials", name);
}

const namespaceSchema = z.looseObject({
  status: z.looseObject({ phase: z.string().optional() }).optional(),
});

/** Whether the namespace is there. */
export function namespaceFinding(name: string, said: Said): Finding {
  if (said?.exitCode === 0) {
    const phase = parsed(namespaceSchema, said.stdout)?.status?.phase;
    if (phase === "Active") return passed("namespace", name);
    return failed("namespace", `${name} is ${phase ?? "not readable"}`, "wait until it is gone");
  }
  if ((said?.stderr ?? "").includes("(NotFound)"))
    return failed(
      "namespace",
      `there is no ${name}`,
      `kubectl create namespace ${name}, or set deploy.namespace`,
    );
  // Whoever may only work in a namespace need not be able to see it; the trial of the objects tells.
  if ((said?.stderr ?? "").includes("(Forbidden)"))
    return passed("namespace", `${name}, which the caller may not look at itself`);
  return failed("namespace", `not known: ${reason(said)}`);
}

/** Whether the Secrets of the namespace that pods need are there (`kubectl get secrets … --output=name`). */
export function secretsFinding(wanted: readonly string[], said: Said): Finding[] {
  if (wanted.length === 0) return [];
  if (said?.exitCode !== 0) return [failed("secrets", `not known: ${reason(said)}`)];
  const there = said.stdout.split("\n").map((line) => line.replace(/^secret\//, "").trim());
  const missing = wanted.filter((name) => !there.includes(name));
  if (missing.length === 0) return [passed("secrets", wanted.join(", "))];
  return [
    failed(
      "secrets",
      `there is no ${missing.join(", ")} in the namespace, and no pod starts without`,
      "make them, or correct deploy.secrets and deploy.pullSecret",
    ),
  ];
}

/** What was said last, in a line. */
export function reason(said: Said): string {
  if (!said) return "kubectl was not run";
  const text = said.stderr
    .split("\n")
    // Its own log of tries comes before what it has to say.
    .filter((line) => !/^[EWI]\d{4} /.test(line))
    .join("\n");
  return lastLines(text, 1) || lastLines(said.stderr, 1) || `kubectl exited with ${said.exitCode}`;
}

/** JSON of a form, or nothing. */
export function parsed<T>(schema: z.ZodType<T>, text: string): T | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** `34+` is 34. */
function number(minor: string): number {
  return Number.parseInt(minor, 10);
}
