import { duration, oneLine, plural } from "../text.js";
import { podLine } from "./failure.js";
import type { Ended } from "./process.js";
import { shareText } from "./steps.js";
import type { Observation, ReleaseRecord, StepRecord } from "./types.js";

/** How a run ended, for a terminal. */
export function endedText({ outcome, release, details, stuck }: Ended): string {
  const { number, service, status, why } = release;
  const end =
    outcome !== "failed"
      ? `is ${STATUS[status]}`
      : `failed and ${status === "live" ? "still serves" : "was taken back"}`;
  return [
    `release ${number} of ${service} ${end}`,
    ...(why === undefined ? [] : [`  why      ${indented(why)}`]),
    ...releaseLines(release),
    ...(stuck === undefined ? [] : [`  STUCK    ${indented(stuck)}`]),
    ...(details === undefined ? [] : ["", details]),
    ...nextLines(release, outcome),
    "",
  ].join("\n");
}

const STATUS: Readonly<Record<ReleaseRecord["status"], string>> = {
  pending: "being deployed",
  waiting: "waiting as a canary",
  live: "live",
  superseded: "superseded",
  "rolled-back": "rolled back",
  failed: "failed",
  aborted: "aborted",
};

function releaseLines(release: ReleaseRecord): string[] {
  const { reference, tag, commit, model, verified, steps, by, calls } = release;
  const { startedAt, finishedAt, kind, of } = release;
  const took =
    finishedAt === undefined
      ? `began ${startedAt}`
      : `took ${duration(Date.parse(finishedAt) - Date.parse(startedAt))}`;
  return [
    `  image    ${reference}${tag === undefined ? "" : ` (${tag})`}`,
    `  verified ${oneLine(verified)}`,
    ...(commit === undefined ? [] : [`  commit   ${commit}`]),
    ...(model === undefined ? [] : [`  model    ${model.uri}`]),
    ...(kind === "rollback" ? [`  back to  release ${of ?? "?"}`] : []),
    ...steps.map((step, index) => `  ${index === 0 ? "steps   " : "        "} ${stepText(step)}`),
    `  by       ${oneLine(by)}; ${took}; ${plural(calls, "start")} of kubectl`,
  ];
}

/** `10 %: passed: 1,000 requests…` */
function stepText(step: StepRecord): string {
  const { analysis } = step;
  const judged = analysis ? `${analysis.outcome}: ${oneLine(analysis.why, 200)}` : "not analysed";
  return `${shareText(step)}: ${judged}`;
}

function nextLines(release: ReleaseRecord, outcome: Ended["outcome"]): string[] {
  if (release.status === "waiting")
    return ["", "next: `slipway promote` gives it everything; `slipway abort` takes it back"];
  if (outcome !== "failed") return [];
  return [
    "",
    "next: find out why with what is above, and deploy again; `slipway history` shows every release",
  ];
}

/** What is there now: the releases that matter, the pods, and whether everything is in order. */
export function statusText(
  service: string,
  {
    live,
    open,
  }: { readonly live: ReleaseRecord | undefined; readonly open: ReleaseRecord | undefined },
  seen: Observation,
  holder: string,
): string {
  const lines: string[] = [];
  if (live) lines.push(`release ${live.number} of ${service} is live`, ...releaseLines(live));
  else lines.push(`no release of ${service} is live`);
  if (open)
    lines.push("", `release ${open.number} is ${STATUS[open.status]}`, ...releaseLines(open));
  lines.push(
    "",
    `requests: ${seen.weight} % to the canary${seen.exposed ? ", and by a header" : ""}`,
  );
  if (seen.complaint !== undefined)
    lines.push(`route: the gateway has not taken it over: ${seen.complaint}`);
  lines.push("pods:", ...seen.pods.map((pod) => `  ${podLine(pod)}`));
  if (seen.pods.length === 0) lines.push("  there are none");
  for (const [track, workload] of [
    ["stable", seen.stable],
    ["canary", seen.canary],
  ] as const)
    if (workload?.trouble) lines.push(`${track}: ${workload.trouble.why}`);
  if (holder !== "") lines.push(`a run is at it: ${oneLine(holder)}`);
  return `${lines.join("\n")}\n`;
}

/** Whether what is live serves in full, and nothing else is under way. */
export function isHealthy(
  live: ReleaseRecord | undefined,
  open: ReleaseRecord | undefined,
  { stable, leftovers }: Observation,
): boolean {
  const serves = live !== undefined && stable?.release === live.number && stable.complete;
  return serves && (open === undefined ? !leftovers : open.status === "waiting");
}

/** All releases that are kept, the newest first. */
export function historyText(records: readonly ReleaseRecord[]): string {
  if (records.length === 0) return "there is no release yet\n";
  const rows = records
    .toReversed()
    .map((each) => [
      String(each.number),
      each.status,
      each.startedAt.slice(0, 16).replace("T", " "),
      each.tag ?? each.reference.slice(-12),
      each.model?.uri ?? "",
      oneLine(each.by, 30),
      each.kind === "rollback" ? `back to ${each.of ?? "?"}` : oneLine(each.why ?? "", 80),
    ]);
  const table = [["", "status", "begun (UTC)", "image", "model", "by", ""], ...rows];
  const widths = table[0]?.map((_, column) =>
    Math.max(...table.map((row) => (row[column] ?? "").length)),
  );
  return `${table
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths?.[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n")}\n`;
}

function indented(text: string): string {
  return text.replaceAll("\n", "\n           ");
}
