import { oneLine } from "../text.js";
import { RELEASE, TRACK } from "./objects/index.js";
import type { Pod, Trouble } from "./types.js";

interface ContainerStatus {
  readonly name: string;
  readonly ready?: boolean;
  readonly restartCount?: number;
  readonly state?: {
    readonly waiting?: { readonly reason?: string; readonly message?: string };
    readonly terminated?: { readonly reason?: string; readonly exitCode?: number };
  };
  readonly lastState?: {
    readonly terminated?: { readonly reason?: string; readonly exitCode?: number };
  };
}

interface PodStatus {
  readonly phase?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly conditions?: readonly Condition[];
  readonly initContainerStatuses?: readonly ContainerStatus[];
  readonly containerStatuses?: readonly ContainerStatus[];
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

/** Why a container waits, when no waiting helps. */
const HOPELESS = [
  "CrashLoopBackOff",
  "ImagePullBackOff",
  "ErrImagePull",
  "ErrImageNeverPull",
  "InvalidImageName",
  "CreateContainerConfigError",
  "CreateContainerError",
  "RunContainerError",
];

/** Matches what `SUMMARY` (of the stage) prints when a pod waits in vain or a pod cannot be made. */
export const HOPELESS_PATTERN = `\\b(${HOPELESS.join("|")})\\b|ReplicaFailure=True|ProgressDeadlineExceeded`;

/** The pods, as far as decisions and reports need them. */
export function readPods(
  objects: readonly {
    readonly metadata: {
      readonly name: string;
      readonly labels?: Readonly<Record<string, string>>;
    };
    readonly status?: unknown;
  }[],
): Pod[] {
  return objects.map(({ metadata, status }) => {
    const { phase = "Unknown", reason, message, ...more } = (status ?? {}) as PodStatus;
    const containers = [...(more.initContainerStatuses ?? []), ...(more.containerStatuses ?? [])];
    const telling = containers.find((each) => saying(each) !== "") ?? more.containerStatuses?.[0];
    const scheduled = more.conditions?.find(({ type }) => type === "PodScheduled");
    const homeless =
      scheduled?.status === "False" ? words(scheduled.reason, scheduled.message) : "";
    const ill = telling === undefined ? "" : saying(telling);
    const itself = reason === undefined ? homeless : words(reason, message);
    return {
      name: metadata.name,
      track: metadata.labels?.[TRACK] === "canary" ? "canary" : "stable",
      release: Number(metadata.labels?.[RELEASE] ?? 0),
      phase,
      ready:
        more.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") ?? false,
      restarts: containers.reduce((sum, each) => sum + (each.restartCount ?? 0), 0),
      container: telling?.name ?? "",
      says: ill === "" ? itself : ill,
      ended: telling?.lastState?.terminated !== undefined,
    };
  });
}

/** Why pods of a Deployment do not become ready, out of themselves and the Deployment's conditions. */
export function troubleOf(
  pods: readonly Pod[],
  conditions: readonly Condition[],
): Trouble | undefined {
  const bad = pods.find(({ says }) => HOPELESS.some((reason) => says.startsWith(reason)));
  if (bad) {
    const restarts = bad.restarts > 0 ? `, restarted ${bad.restarts} times` : "";
    return { why: `pod ${bad.name}: ${bad.says}${restarts}`, certain: true };
  }
  const refused = conditions.find(
    ({ type, status }) => type === "ReplicaFailure" && status === "True",
  );
  // Pods that are about to end may still use what a quota allows.
  if (refused) return { why: words(refused.reason, refused.message), certain: false };
  const late = conditions.find(({ reason }) => reason === "ProgressDeadlineExceeded");
  if (late)
    return {
      why: `the pods did not become ready within deploy.deadline: ${words(late.reason, late.message)}`,
      certain: true,
    };
  return undefined;
}

/** `CrashLoopBackOff: back-off 10s restarting…; it ended with 1 (Error)` */
function saying({ state, lastState }: ContainerStatus): string {
  const { waiting, terminated } = state ?? {};
  if (waiting?.reason === "ContainerCreating" || waiting?.reason === "PodInitializing") return "";
  const ended = terminated ?? lastState?.terminated;
  const how = ended ? `it ended with ${ended.exitCode ?? "?"} (${ended.reason ?? "?"})` : "";
  if (waiting) return [words(waiting.reason, waiting.message), how].filter(Boolean).join("; ");
  return terminated && terminated.exitCode !== 0 ? how : "";
}

function words(reason = "", message = ""): string {
  return oneLine([reason, message].filter((each) => each !== "").join(": "), 240);
}
