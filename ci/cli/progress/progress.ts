import type { StepEvent } from "../../engine/events.js";
import { LiveProgress } from "./live.js";
import { PlainProgress } from "./plain.js";

/** Shows a person what the engine does, on standard error. */
export interface Progress {
  step(event: StepEvent): void;
  /** Shows a line that stays. */
  say(line: string): void;
  /** Leaves the screen as it should stay. */
  finish(): void;
}

export const PROGRESS = ["auto", "live", "plain", "none"] as const;
export type ProgressChoice = (typeof PROGRESS)[number];

type Environment = Readonly<Record<string, string | undefined>>;

/** A live list in a terminal; lines in CI, in pipes and on terminals that cannot move the cursor. */
export function makeProgress(
  choice: ProgressChoice,
  stream: NodeJS.WriteStream = process.stderr,
  env: Environment = process.env,
): Progress | undefined {
  const canRedraw = stream.isTTY && !env.CI && env.TERM !== "dumb";
  const chosen = choice === "auto" ? (canRedraw ? "live" : "plain") : choice;
  if (chosen === "none") return undefined;
  return chosen === "live" ? new LiveProgress(stream) : new PlainProgress(stream);
}
