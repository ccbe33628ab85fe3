import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { StepEvent } from "../../engine/events.js";

/** Calls `onStep` for each line of JSON; a line that is cut by the engine's end is dropped. */
export function readEvents(stream: Readable, onStep: (event: StepEvent) => void): void {
  stream.on("error", () => undefined);
  createInterface({ input: stream }).on("line", (line) => {
    let event: StepEvent;
    try {
      event = JSON.parse(line) as StepEvent;
    } catch {
      return;
    }
    onStep(event);
  });
}
