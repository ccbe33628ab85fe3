import type { KubernetesObject } from "../objects/index.js";
import { refusal } from "../refusal.js";
import { failed, passed, warned, type Finding, type Said } from "./findings.js";
import { reason } from "./server.js";

/**
 * What the API server says to the objects without keeping them (`kubectl apply --server-side
 * --dry-run=server --output=name`): a finding for each that it refuses, and for each of its warnings.
 */
export function trialFindings(objects: readonly KubernetesObject[], said: Said): Finding[] {
  if (!said) return [failed("objects", `not known: ${reason(said)}`)];
  const lines = said.stderr.split("\n");
  const warnings = lines
    .flatMap((line) => /^Warning: (.+)$/.exec(line)?.[1] ?? [])
    .map((text) => warned("objects", text));
  if (said.exitCode === 0) {
    const accepted = said.stdout.split("\n").filter((line) => line !== "").length;
    if (accepted === objects.length)
      return [passed("objects", `the API server accepts all ${accepted}`), ...warnings];
    return [
      failed("objects", `the API server accepts ${accepted} of ${objects.length}`),
      ...warnings,
    ];
  }
  const errors = complaints(said.stderr);
  return [
    ...errors.map(refusedFinding),
    ...(errors.length === 0 ? [failed("objects", reason(said))] : []),
    ...warnings,
  ];
}

/** An answer to the objects themselves; all else, such as no answer, says nothing of them. */
const REFUSED =
  /Apply failed with \d+ conflict|is invalid|field is immutable|\bForbidden\b|denied the request/i;

/**
 * The same where something is to be brought back that served before, in the middle of whatever went
 * wrong: only what is refused for certain stops that. A server that does not answer, a webhook that does
 * not work or takes no trials are warnings: what is done then is repeated, and taken back when it fails.
 */
export function emergencyFindings(objects: readonly KubernetesObject[], said: Said): Finding[] {
  const certain = complaints(said?.stderr ?? "").filter((text) => REFUSED.test(text));
  if (said?.exitCode !== 0 && certain.length > 0) return certain.map(refusedFinding);
  return trialFindings(objects, said).map((finding) =>
    finding.ok ? finding : warned(finding.check, finding.found),
  );
}

/** What the API server says to a pod of the canary: limits and policies look at pods, not at Deployments. */
export function podFinding(said: Said): Finding {
  if (!said) return failed("pods", `not known: ${reason(said)}`);
  if (said.exitCode === 0) return passed("pods", "the API server accepts one of the canary's");
  const text = said.stderr;
  // To deploy nobody needs that right: Deployments make the pods.
  if (text.includes('cannot create resource "pods"'))
    return warned(
      "pods",
      "the caller may not make one, so whether policies accept them is not known",
    );
  return failed(
    "pods",
    `the API server would refuse the canary's: ${reason(said)}`,
    "make the pods as the namespace wants them, or let somebody change what it wants",
  );
}

/** A pod as the Deployment would make it, for a trial. */
export function trialPod(deployment: KubernetesObject): KubernetesObject {
  const { template } = deployment.spec as {
    template: { metadata: KubernetesObject["metadata"]; spec: Record<string, unknown> };
  };
  const { namespace } = deployment.metadata;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      ...template.metadata,
      name: `${deployment.metadata.name}-trial`,
      ...(namespace !== undefined && { namespace }),
    },
    spec: template.spec,
  };
}

/** Where an error of kubectl begins; what follows on further lines belongs to it. */
const BEGINS =
  /^(Error from server|error|The \w+ ".*" is invalid|Apply failed|unable to recognize|resource mapping not found)/i;

/** Advice to people who sit at kubectl. */
const ADVICE = /^Please review the fields above[\s\S]*?^See https:.*$/gm;

function refusedFinding(text: string): Finding {
  return failed("objects", refusal("the API server refuses it", text));
}

/** One text an error. */
function complaints(stderr: string): string[] {
  const found: string[] = [];
  for (const line of stderr.replace(ADVICE, "").split("\n")) {
    if (line.startsWith("Warning: ")) continue;
    if (BEGINS.test(line)) found.push(line);
    else if (found.length > 0 && line.trim() !== "") found.push(`${found.pop() ?? ""}\n${line}`);
  }
  return [...new Set(found)];
}
