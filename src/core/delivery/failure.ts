import { oneLine, lastLines } from "../text.js";
import type { Pod } from "./types.js";

/** What the cluster said about pods in trouble. */
export interface Asked {
  /** Events, as `kubectl get events --output=json` has them. */
  readonly events: readonly unknown[];
  readonly logs: readonly {
    readonly pod: string;
    readonly container: string;
    readonly text: string;
  }[];
}

interface Event {
  readonly reason?: string;
  readonly message?: string;
  readonly count?: number;
  readonly lastTimestamp?: string | null;
  readonly eventTime?: string | null;
  readonly involvedObject?: { readonly kind?: string; readonly name?: string };
}

/** Events that are shown. */
const MOST_EVENTS = 6;

/** The states, events and last words of a service's pods, for the person who has to find out why. */
export function troubleText(
  service: string,
  pods: readonly Pod[],
  { events, logs }: Asked,
): string {
  const lines = ["pods:"];
  for (const pod of pods) lines.push(`  ${podLine(pod)}`);
  if (pods.length === 0) lines.push("  there are none");
  const ill = new Set(pods.filter(({ ready }) => !ready).map(({ name }) => name));
  const ours = (events as readonly Event[])
    .filter(({ involvedObject: { kind = "", name = "" } = {} }) =>
      // Of pods that are gone, or well by now, nobody wants to read.
      kind === "Pod" ? ill.has(name) : isOf(service, name),
    )
    .sort((one, other) => when(one).localeCompare(when(other)))
    .slice(-MOST_EVENTS);
  if (ours.length > 0) lines.push("events:", ...ours.map((event) => `  ${eventLine(event)}`));
  for (const { pod, container, text } of logs) {
    const last = lastLines(text, 10);
    if (last === "") continue;
    lines.push(`last lines of ${pod} (container ${container}):`);
    lines.push(...last.split("\n").map((line) => `  ${line}`));
  }
  return lines.join("\n");
}

/** `iris-canary-5d9f-x2 (canary, release 7): Running, not ready, 3 restarts; CrashLoopBackOff: …` */
export function podLine({ name, track, release, phase, ready, restarts, says }: Pod): string {
  const state = [
    phase,
    ready ? "ready" : "not ready",
    ...(restarts > 0 ? [`${restarts} restarts`] : []),
  ];
  const more = says === "" ? "" : `; ${says}`;
  return `${name} (${track}, release ${release}): ${state.join(", ")}${more}`;
}

function eventLine({ reason = "", message = "", count = 1, involvedObject }: Event): string {
  const times = count > 1 ? ` (${count} times)` : "";
  const { kind = "", name = "" } = involvedObject ?? {};
  return oneLine(`${kind} ${name}: ${reason}${times}: ${message}`, 300);
}

function isOf(service: string, name: string): boolean {
  return name === service || name.startsWith(`${service}-`);
}

function when({ lastTimestamp, eventTime }: Event): string {
  return lastTimestamp ?? eventTime ?? "";
}
