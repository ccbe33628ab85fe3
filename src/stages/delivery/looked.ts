import { describeProblem, SlipwayError, type Problem } from "../../core/errors.js";
import { failed, type Finding } from "../../core/delivery/validation/findings.js";
import { oneLine } from "../../core/text.js";

/** What was found of one thing, and the thing where all is well with it. */
export interface Looked<T> {
  readonly findings: readonly Finding[];
  readonly value?: T | undefined;
}

/** What was not looked at. */
export const NOTHING: Looked<never> = { findings: [] };

/** What something gives, or why it does not: one finding for each of the problems that it names. */
export async function attempted<T>(check: string, work: () => Promise<T>): Promise<Looked<T>> {
  try {
    return { findings: [], value: await work() };
  } catch (error) {
    return { findings: complaints(check, error) };
  }
}

export function attempt<T>(check: string, work: () => T): Looked<T> {
  try {
    return { findings: [], value: work() };
  } catch (error) {
    return { findings: complaints(check, error) };
  }
}

function complaints(check: string, error: unknown): Finding[] {
  if (error instanceof SlipwayError && error.problems.length > 0)
    return problemFindings(check, error.problems);
  return [failed(check, oneLine(error instanceof Error ? error.message : String(error), 500))];
}

/** `requests.jsonl:3: not JSON` */
export function problemFindings(check: string, problems: readonly Problem[]): Finding[] {
  return problems.map((problem) => failed(check, describeProblem(problem)));
}
