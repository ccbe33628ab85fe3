import { endedText } from "../../core/delivery/report.js";
import type { Ended } from "../../core/delivery/process.js";
import { SlipwayError, type ErrorCode } from "../../core/errors.js";
import type { Context } from "../context.js";
import { withProgram } from "../programs.js";

/** What a caller's process exits with; scripts and workflows rely on the numbers. */
const EXITS = { failed: 1, refused: 2, broken: 3, paused: 4 } as const;

/** Mistakes that are found before anything is touched. */
const MISTAKES: readonly ErrorCode[] = ["USAGE", "CONFIG", "PROJECT", "LOCK", "MODEL"];

/**
 * Runs a delivery and sees to it that the process of whoever called ends with a number that says how
 * it went: 0 done, 1 failed and taken back, 2 refused, 3 something broke, 4 paused.
 *
 * @throws ExecError with that exit code and the report, unless it is done.
 */
export async function concluded(context: Context, work: () => Promise<Ended>): Promise<Ended> {
  let ended: Ended;
  try {
    ended = await work();
  } catch (error) {
    const isMistake = error instanceof SlipwayError && MISTAKES.includes(error.code);
    const text = error instanceof Error ? error.message : String(error);
    return await exitWith(context, isMistake ? EXITS.refused : EXITS.broken, text);
  }
  if (ended.outcome === "done") return ended;
  return await exitWith(context, EXITS[ended.outcome], endedText(ended));
}

/** An error of a function has no number; that of a program has. */
async function exitWith(context: Context, code: number, text: string): Promise<never> {
  await withProgram(context)
    .withNewFile("/run/report.txt", text.endsWith("\n") ? text : `${text}\n`)
    .withEnvVariable("SLIPWAY_ATTEMPT", new Date().toISOString())
    .withExec(["sh", "-c", `cat /run/report.txt >&2; exit ${code}`])
    .sync();
  throw new Error(text);
}
