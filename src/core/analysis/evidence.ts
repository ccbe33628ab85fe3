import { lastLines } from "../text.js";
import { readObservation, readSent, type Observation, type Sent } from "./observation.js";

/** What one look left. */
export interface Left {
  /** `observation.json`. */
  readonly observation: string | undefined;
  /** `requests.log`; undefined when it was not read. */
  readonly requests: string | undefined;
  /** Bytes of `requests.log`; undefined when there is none. */
  readonly bytes: number | undefined;
  readonly exitCode: number;
  readonly stderr: string;
}

/** What can be judged. */
export interface Evidence {
  readonly observation: Observation;
  readonly sent: readonly Sent[];
}

/**
 * Reads what one look left.
 *
 * @returns why nothing of it can be judged, as text.
 */
export function readEvidence(left: Left): Evidence | string {
  const { requests, bytes = 0 } = left;
  // Without a line of it no request would seem to have been made.
  if (requests === undefined && bytes > 0)
    return `requests.log has ${Math.ceil(bytes / 1024 ** 2)} MiB, which is longer than what is read: lower analysis.rate or analysis.duration, analysis.load.rate or analysis.load.duration, or record fewer requests whose predictions are compared`;
  const observation = readObservation(left.observation);
  const sent = readSent(requests ?? "");
  if (!observation || !sent)
    return `the analysis left nothing that can be read (exit code ${left.exitCode}): ${lastLines(left.stderr)}`;
  return { observation, sent };
}
