import { nothingToCompare, passage } from "../comparison.js";
import { leaseName, readLease, LEASE_SECONDS, type Lease } from "../lease.js";
import { NAME, RELEASE, type KubernetesObject } from "../objects/index.js";
import { liveRelease, openRelease } from "../release.js";
import type { Observation, ReleaseRecord } from "../types.js";
import { failed, passed, warned, type Finding, type Said } from "./findings.js";
import { reason } from "./server.js";

/** The lease of a service that somebody holds; undefined when nobody does, or it is not known. */
export function heldLease(said: Said): Lease | undefined {
  if (said?.exitCode !== 0) return undefined;
  const lease = readLease(said.stdout);
  return lease === undefined || lease.holder === "" ? undefined : lease;
}

/**
 * Whether another deployment is in progress.
 *
 * @param later The lease, after its holder had time to give a sign of life.
 */
export function leaseFinding(service: string, said: Said, later: Said): Finding {
  if (said?.exitCode !== 0) return failed("in progress", `not known: ${reason(said)}`);
  const held = heldLease(said);
  if (!held) return passed("in progress", "no other deployment");
  if (later?.exitCode !== 0) return failed("in progress", `not known: ${reason(later)}`);
  const now = heldLease(later);
  if (!now) return passed("in progress", "no other deployment");
  if (now.resourceVersion !== held.resourceVersion)
    return failed(
      "in progress",
      `another deployment of ${service}: ${now.holder} (Lease ${leaseName(service)})`,
      "wait for it, or end it: slipway abort",
    );
  return warned(
    "in progress",
    `${held.holder} ended without a word`,
    `the next run takes over after ${LEASE_SECONDS} s and takes back what is half done`,
  );
}

/** Whether a canary waits for somebody's word, which `deploy` does not pass over. */
export function releasesFinding(records: readonly ReleaseRecord[]): Finding {
  const open = openRelease(records);
  if (open?.status === "waiting")
    return failed(
      "releases",
      `the canary of release ${open.number} waits`,
      "promote or abort it first",
    );
  const live = liveRelease(records);
  return passed(
    "releases",
    live ? `release ${live.number} is live (${live.tag ?? live.reference})` : "none yet",
  );
}

/** How a release would take the place of the live one, where that is not as it should be. */
export function passageFindings(
  live: ReleaseRecord | undefined,
  release: ReleaseRecord,
  seen: Pick<Observation, "stable">,
): Finding[] {
  const alone = live && nothingToCompare(live.number, seen);
  const { lost } = passage(live, release, alone);
  return [
    ...(lost ? [failed("ports", lost.why, lost.instead)] : []),
    ...(alone === undefined
      ? []
      : [
          warned(
            "live pods",
            alone,
            "deploy puts it in their place without a canary; deploy-canary lets one wait without requests",
          ),
        ]),
  ];
}

/** Whether the Deployment of the service's name is Slipway's, or there is none. */
export function foreignFinding(service: string, said: Said): Finding[] {
  if (said?.exitCode !== 0) return [failed("deployment", `not known: ${reason(said)}`)];
  if (said.stdout.trim() === "") return [];
  const { metadata } = JSON.parse(said.stdout) as KubernetesObject;
  const labels = metadata.labels ?? {};
  if (labels[NAME] === service && labels[RELEASE] !== undefined) return [];
  return [
    failed(
      "deployment",
      `there is a Deployment ${service} that Slipway did not make`,
      "give deploy.name another name and move the requests over, or delete that Deployment first",
    ),
  ];
}
